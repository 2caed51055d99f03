"""Local scaling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Dissimilarity, hookimpl

from ._blocks import Statistics
from ._scaled import Scaled

if TYPE_CHECKING:
    from torch import Tensor


class LocalScaling(Scaled):
    """Distance scaled by that to the k-th neighbor (Zelnik-Manor and Perona).

    1 - exp(-|x - y|^2 / (r_x r_y)), r the distance to the k-th neighbor (Zelnik-Manor and Perona, 2004). x [n, d], y
    [m, d] -> [n, m], in [0, 1]. Beyond about 6 reaches it rounds to 1, so all such points are equally far. Raises
    BenchError for k or fewer points.
    """

    reference = """
    @inproceedings{zelnikmanor2004selftuning, author = {Zelnik-Manor, Lihi and Perona, Pietro}, title = {Self-Tuning
      Spectral Clustering}, booktitle = {Advances in Neural Information Processing Systems}, year = {2004}}"""

    def reach(self, to_neighbors: Tensor) -> Tensor:
        """Distance to the k-th neighbor."""
        return to_neighbors[:, -1]

    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """Dissimilarities [b, m]."""
        return -(-self.ratios(x, y, of_x, of_y).square()).expm1()


@hookimpl
def components() -> list[type[Dissimilarity]]:
    """The component classes of this module."""
    return [LocalScaling]
