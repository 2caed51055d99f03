"""Cosine distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stock.dissimilarities._blocks import InBlocks, Statistics
from harness.stock.dissimilarities._cosine import cosines

from harness import Dissimilarity, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Cosine(InBlocks):
    """1 - cos(x, y), in [0, 2]. x [n, d], y [m, d] -> [n, m]; a point of norm 0 is at 1 from everything."""

    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """[b, m]."""
        return 1 - cosines(x, y)


@hookimpl
def components() -> list[type[Dissimilarity]]:
    """What this file brings."""
    return [Cosine]
