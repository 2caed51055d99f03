"""Distances in units of the distance to a point's own neighbors."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from harness import PositiveInt, k_nearest, pairwise_distances

from ._blocks import InBlocks, Statistics

if TYPE_CHECKING:
    from torch import Tensor

TINY = 1e-150
"""Smallest reach: that of a point whose neighbors are copies of it."""


class Scaled(InBlocks):
    """Euclidean distances over the reaches of both points; a copy is at 0 even where a reach is 0."""

    k: PositiveInt = 10

    @abstractmethod
    def reach(self, to_neighbors: Tensor) -> Tensor:
        """Reach of each point [n], from its distances to the k nearest [n, k], nearest first."""

    def statistics(self, data: Tensor, x: Tensor | None = None) -> Statistics:
        """Reach of each point."""
        return {"reach": self.reach(k_nearest(data, self.k, x).distances).clamp(min=TINY)}

    def ratios(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """Ratio |x - y| / sqrt(reach of x times reach of y) -> [b, m]."""
        scale = of_x["reach"].sqrt()[:, None] * of_y["reach"].sqrt()
        return pairwise_distances(x, y).div_(scale)
