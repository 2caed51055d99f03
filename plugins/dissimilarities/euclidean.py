"""Euclidean distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stock.dissimilarities._blocks import InBlocks, Statistics

from harness import Dissimilarity, distances, hookimpl, nearest

if TYPE_CHECKING:
    from torch import Tensor

    from harness import Neighbours


class Euclidean(InBlocks):
    """|x - y|. x [n, d], y [m, d] -> [n, m]; relative error below 1e-8 wherever the points lie, equal ones are 0."""

    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """[b, m]."""
        return distances(x, y)

    def nearest(self, data: Tensor, k: int, engine: str = "exact") -> Neighbours:
        """By any of the engines of `harness.nearest`."""
        return nearest(data, k, engine=engine)


@hookimpl
def components() -> list[type[Dissimilarity]]:
    """What this file brings."""
    return [Euclidean]
