"""Cosine distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Dissimilarity, hookimpl

from ._blocks import InBlocks, Statistics
from ._cosine import cosines

if TYPE_CHECKING:
    from torch import Tensor


class Cosine(InBlocks):
    """One minus the cosine of the angle between two points.

    1 - cos(x, y), in [0, 2]. x [n, d], y [m, d] -> [n, m]; a point of norm 0 is at 1 from every other.
    """

    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """Dissimilarities [b, m]."""
        return 1 - cosines(x, y)


@hookimpl
def components() -> list[type[Dissimilarity]]:
    """The component classes of this module."""
    return [Cosine]
