"""What the stock dissimilarities share: statistics of every point first, then a few rows at a time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from harness import Dissimilarity

CELLS, ROWS = 2**18, 16
"""How many numbers are held at once, about, and the fewest rows of them."""

Statistics = Mapping[str, Tensor]
"""What is known of each point by name, [n, ...]."""


class InBlocks(Dissimilarity):
    """Never holds a whole matrix unless asked for one. float64 whatever the points are."""

    def statistics(self, data: Tensor, x: Tensor | None = None) -> Statistics:
        """What the neighbours among data [m, d] say of each of the data, itself left out, or of other points x."""
        return {}

    @abstractmethod
    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """(some points [b, d], all the data [m, d], what is known of both) -> [b, m]."""

    def blocks(self, x: Tensor, y: Tensor | None = None) -> Iterator[Tensor]:
        """The rows of `self(x, y)`, in order, a few at a time [b, m]."""
        x, data = x.double(), (x if y is None else y).double()
        known = self.statistics(data)
        of_x = known if y is None else self.statistics(data, x)
        for rows in torch.arange(len(x), device=x.device).split(max(ROWS, CELLS // len(data))):
            yield self.between(x[rows], data, {name: value[rows] for name, value in of_x.items()}, known)

    def __call__(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return torch.cat([*self.blocks(x, y)])
