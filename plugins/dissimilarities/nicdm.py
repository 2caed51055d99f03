"""The non-iterative contextual dissimilarity measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stock.dissimilarities._blocks import Statistics
from harness.stock.dissimilarities._scaled import Scaled

from harness import Dissimilarity, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class NICDM(Scaled):
    """|x - y| / sqrt(m_x m_y), m the mean distance to the k nearest (Jegou et al., 2007).

    x [n, d], y [m, d] -> [n, m], from 0 up: one pass of what they iterate, as Schnitzer et al. (2012) have it. Raises
    BenchError for k or fewer points.
    """

    def reach(self, to_neighbours: Tensor) -> Tensor:
        """Their mean."""
        return to_neighbours.mean(1)

    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """[b, m]."""
        return self.ratios(x, y, of_x, of_y)


@hookimpl
def components() -> list[type[Dissimilarity]]:
    """What this file brings."""
    return [NICDM]
