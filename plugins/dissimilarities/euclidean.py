"""Euclidean distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Dissimilarity, hookimpl, k_nearest, pairwise_distances

from ._blocks import InBlocks, Statistics

if TYPE_CHECKING:
    from torch import Tensor

    from harness import Neighbors


class Euclidean(InBlocks):
    """Euclidean distance between two points.

    The norm |x - y|. x [n, d], y [m, d] -> [n, m]; relative error below 1e-8 wherever the points lie, 0 for equal
    points.
    """

    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """Distances [b, m]."""
        return pairwise_distances(x, y)

    def nearest(self, data: Tensor, k: int, engine: str = "exact") -> Neighbors:
        """The k nearest others by any of the engines of `harness.k_nearest`."""
        return k_nearest(data, k, engine=engine)


@hookimpl
def components() -> list[type[Dissimilarity]]:
    """The component classes of this module."""
    return [Euclidean]
