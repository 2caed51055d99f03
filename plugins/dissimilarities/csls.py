"""Cross-domain similarity local scaling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Dissimilarity, PositiveInt, hookimpl, k_smallest

from ._blocks import InBlocks, Statistics
from ._cosine import cosines
from .cosine import Cosine

if TYPE_CHECKING:
    from torch import Tensor


class CSLS(InBlocks):
    """Cosine distance corrected by the mean cosines (Conneau et al., 2018).

    Cross-domain similarity local scaling, negated: r_x + r_y - 2 cos(x, y), r the mean cosine to the k nearest by
    cosine. x [n, d], y [m, d] -> [n, m], in [-4, 4]. In the publication the neighbors of either point are those in the
    other language; here they are those among the data. Raises BenchError for k or fewer points.
    """

    reference = r"""
    @inproceedings{conneau2018word, author = {Conneau, Alexis and Lample, Guillaume and Ranzato, Marc'Aurelio and
      Denoyer, Ludovic and J{\'e}gou, Herv{\'e}}, title = {Word Translation Without Parallel Data}, booktitle =
      {International Conference on Learning Representations}, year = {2018}}"""

    k: PositiveInt = 10

    def statistics(self, data: Tensor, x: Tensor | None = None) -> Statistics:
        """Mean cosine of each point to its neighbors."""
        blocks = Cosine().blocks(data) if x is None else Cosine().blocks(x, data)
        return {"mean": 1 - k_smallest(blocks, self.k, own=x is None).distances.mean(1)}

    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """Dissimilarities [b, m]."""
        return of_x["mean"][:, None] + of_y["mean"] - 2 * cosines(x, y)


@hookimpl
def components() -> list[type[Dissimilarity]]:
    """The component classes of this module."""
    return [CSLS]
