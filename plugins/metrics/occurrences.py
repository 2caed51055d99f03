"""Distribution of how often points are neighbors of others: hubs and antihubs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scipy import stats

from harness import Metric, Positive, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


ONE_POINT = (
    "is the count of one point, which no resample exceeds: on 1,000 normal points in 100 dimensions its 95 % interval "
    "within a seed contained the expectation in about half of all draws"
)


class KSkewness(Metric):
    """Skewness of the neighbor counts (Radovanovic et al., 2010).

    Radovanovic et al., 2010, eq. 1. Lower is better; 0 where there are as many hubs as others. counts [n] of N_k -> the
    third moment about the mean over the cubed deviation, both with divisor n. Heavy-tailed: the largest hub alone
    changes it, and it grows with n. With d it grows to a limit that depends on n, k and the kurtosis of the
    coordinates. Read it beside `antihub_occurrence` and `robin_hood`. NaN where all counts are equal.
    """

    reference = r"""
    @article{radovanovic2010hubs, author = {Radovanovi{\'c}, Milo{\v{s}} and Nanopoulos, Alexandros and
      Ivanovi{\'c}, Mirjana}, title = {Hubs in Space: Popular Nearest Neighbors in High-Dimensional Data},
      journal = {Journal of Machine Learning Research}, volume = {11}, pages = {2487--2531}, year = {2010}}"""

    higher_is_better: ClassVar[bool | None] = False
    caveat: ClassVar[str | None] = (
        "is heavy-tailed, the largest hub alone changes it: on 1,000 normal points in 100 dimensions its 95 % interval "
        "within a seed contained the expectation in 4 of 5 draws; robin_hood and antihub_occurrence are more reliable"
    )

    def __call__(self, counts: Tensor) -> float:
        if bool((counts == counts[0]).all()):
            return float("nan")
        return float(stats.skew(counts.double().cpu().numpy()))


class AntihubOccurrence(Metric):
    """Share of points that are no other point's neighbor.

    Points with N_k = 0. Lower is better. counts [n] -> scalar in [0, 1].
    """

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, counts: Tensor) -> float:
        return float((counts == 0).double().mean())


class HubOccurrence(Metric):
    """Share of all neighbor occurrences that go to hubs.

    Hubs are points with N_k >= `factor` k. Lower is better. counts [n], k -> scalar in [0, 1].
    """

    factor: Positive = 2.0
    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, counts: Tensor, k: int) -> float:
        return float(counts[counts >= self.factor * k].sum() / counts.sum())


class GroupieRatio(Metric):
    """Share of all neighbor occurrences that go to the largest hub.

    Lower is better. counts [n] -> scalar in (0, 1].
    """

    higher_is_better: ClassVar[bool | None] = False
    caveat: ClassVar[str | None] = ONE_POINT

    def __call__(self, counts: Tensor) -> float:
        return float(counts.max() / counts.sum())


class MaxKOccurrence(Metric):
    """Number of points that have the largest hub among their neighbors.

    The largest N_k. Lower is better. counts [n] -> points.
    """

    higher_is_better: ClassVar[bool | None] = False
    unit: ClassVar[str | None] = "points"
    caveat: ClassVar[str | None] = ONE_POINT

    def __call__(self, counts: Tensor) -> float:
        return float(counts.max())


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [KSkewness, AntihubOccurrence, HubOccurrence, GroupieRatio, MaxKOccurrence]
