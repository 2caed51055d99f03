"""Base class of the stock dissimilarities: statistics of every point first, then a few rows at a time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from harness import Dissimilarity

CELLS, ROWS = 2**18, 16
"""Approximate number of values held at once, and the smallest number of rows."""

Statistics = Mapping[str, Tensor]
"""Statistics of each point by name, [n, ...]."""


class InBlocks(Dissimilarity):
    """A dissimilarity computed in float64, a few rows at a time; never a whole matrix unless it is asked for."""

    def statistics(self, data: Tensor, x: Tensor | None = None) -> Statistics:
        """Statistics of each of the data [m, d], or of other points x, from their neighbors in the data.

        A point is no neighbor of itself.
        """
        return {}

    @abstractmethod
    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """Dissimilarities [b, m] of some points [b, d] to all the data [m, d], given the statistics of both."""

    def blocks(self, x: Tensor, y: Tensor | None = None) -> Iterator[Tensor]:
        """Rows of `self(x, y)`, in order, a few at a time [b, m]."""
        x, data = x.double(), (x if y is None else y).double()
        known = self.statistics(data)
        of_x = known if y is None else self.statistics(data, x)
        for rows in torch.arange(len(x), device=x.device).split(max(ROWS, CELLS // len(data))):
            yield self.between(x[rows], data, {name: value[rows] for name, value in of_x.items()}, known)

    def __call__(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return torch.cat([*self.blocks(x, y)])
