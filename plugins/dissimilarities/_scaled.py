"""Distances in units of how far a point's own neighbours are."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from harness.stock.dissimilarities._blocks import InBlocks, Statistics

from harness import Count, distances, nearest

if TYPE_CHECKING:
    from torch import Tensor

TINY = 1e-150
"""The least reach: that of a point whose neighbours are its copies."""


class Scaled(InBlocks):
    """Euclidean distances over the reaches of both points; a copy is at 0 even where a reach is 0."""

    k: Count = 10

    @abstractmethod
    def reach(self, to_neighbours: Tensor) -> Tensor:
        """Of the distances to the k nearest [n, k], nearest first -> [n]."""

    def statistics(self, data: Tensor, x: Tensor | None = None) -> Statistics:
        """The reach of each point."""
        return {"reach": self.reach(nearest(data, self.k, x).distances).clamp(min=TINY)}

    def ratios(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """|x - y| / sqrt(reach of x times reach of y) -> [b, m]."""
        scale = of_x["reach"].sqrt()[:, None] * of_y["reach"].sqrt()
        return distances(x, y).div_(scale)
