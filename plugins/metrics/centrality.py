"""Correlation of hubs with the distance to the mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scipy import stats

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Centrality(Metric):
    """Rank correlation of a point's hubness with its distance to the mean.

    Spearman's rank correlation of N_k with the Euclidean distance to the mean of the points. A description. points
    [n, d], counts [n] -> scalar in [-1, 1]: near -1 where hubs are the points near the mean (Radovanovic et al., 2010,
    section 4.2). NaN where all counts or all distances are equal.
    """

    reference = r"""
    @article{radovanovic2010hubs, author = {Radovanovi{\'c}, Milo{\v{s}} and Nanopoulos, Alexandros and
      Ivanovi{\'c}, Mirjana}, title = {Hubs in Space: Popular Nearest Neighbors in High-Dimensional Data},
      journal = {Journal of Machine Learning Research}, volume = {11}, pages = {2487--2531}, year = {2010}}"""

    higher_is_better: ClassVar[bool | None] = None

    def __call__(self, points: Tensor, counts: Tensor) -> float:
        distance = (points - points.mean(0)).norm(dim=1)
        if any(bool((part == part[0]).all()) for part in (distance, counts)):
            return float("nan")
        return float(stats.spearmanr(counts.cpu().numpy(), distance.cpu().numpy()).statistic)


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [Centrality]
