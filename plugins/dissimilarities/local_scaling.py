"""Local scaling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stock.dissimilarities._blocks import Statistics
from harness.stock.dissimilarities._scaled import Scaled

from harness import Dissimilarity, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class LocalScaling(Scaled):
    """1 - exp(-|x - y|^2 / (r_x r_y)), r the distance to the k-th neighbour (Zelnik-Manor and Perona, 2004).

    x [n, d], y [m, d] -> [n, m], in [0, 1]. Beyond about 6 reaches it rounds to 1, where all points are equally far.
    Raises BenchError for k or fewer points.
    """

    def reach(self, to_neighbours: Tensor) -> Tensor:
        """The last one's."""
        return to_neighbours[:, -1]

    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """[b, m]."""
        return -(-self.ratios(x, y, of_x, of_y).square()).expm1()


@hookimpl
def components() -> list[type[Dissimilarity]]:
    """What this file brings."""
    return [LocalScaling]
