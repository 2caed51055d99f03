"""Cross-domain similarity local scaling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stock.dissimilarities._blocks import InBlocks, Statistics
from harness.stock.dissimilarities._cosine import cosines
from harness.stock.dissimilarities.cosine import Cosine

from harness import Count, Dissimilarity, hookimpl, smallest

if TYPE_CHECKING:
    from torch import Tensor


class CSLS(InBlocks):
    """r_x + r_y - 2 cos(x, y), r the mean cosine to the k nearest by cosine (Conneau et al., 2018, negated).

    x [n, d], y [m, d] -> [n, m], in [-4, 4]. There the neighbours of either point are those in the other language; here
    they are those among the data. Raises BenchError for k or fewer points.
    """

    k: Count = 10

    def statistics(self, data: Tensor, x: Tensor | None = None) -> Statistics:
        """Each point's mean cosine to its neighbours."""
        blocks = Cosine().blocks(data) if x is None else Cosine().blocks(x, data)
        return {"mean": 1 - smallest(blocks, self.k, own=x is None).distances.mean(1)}

    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """[b, m]."""
        return of_x["mean"][:, None] + of_y["mean"] - 2 * cosines(x, y)


@hookimpl
def components() -> list[type[Dissimilarity]]:
    """What this file brings."""
    return [CSLS]
