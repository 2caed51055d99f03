"""Density and coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Dissimilarity, Metric, PositiveInt, hookimpl, named

from ._neighbors import balls, holders, radii

if TYPE_CHECKING:
    from torch import Tensor


class Density(Metric):
    """Mean number of real points whose ball contains a sample, over `k`.

    Naeem et al., 2020, eq. 4. A description: 1 is perfect. features [n, d], reference_features [m, d] -> scalar from 0
    up. The radius of a real point's ball is the distance to its `k`-th nearest other real point. The expectation is
    exactly 1 for a perfect sampler, at every n, m and k: each of m exchangeable points is among the k nearest with
    probability k / m. A lower value means that samples lie where no data are, a higher one that they keep to the
    densest part. Use a thousand samples or more. The interval is that of the seeds.
    """

    reference = """
    @inproceedings{naeem2020density, author = {Naeem, Muhammad Ferjad and Oh, Seong Joon and Uh, Youngjung and Choi,
      Yunjey and Yoo, Jaejun}, title = {Reliable Fidelity and Diversity Metrics for Generative Models},
      booktitle = {International Conference on Machine Learning}, year = {2020}}"""

    k: PositiveInt = 5
    dissimilarity: Dissimilarity = named("euclidean")
    higher_is_better: ClassVar[bool | None] = None
    ideal: ClassVar[float | None] = 1.0

    def __call__(self, features: Tensor, reference_features: Tensor) -> float:
        y = reference_features.double()
        by = self.dissimilarity
        return float(balls(features.double(), y, radii(y, self.k, by), by).double().mean()) / self.k


class Coverage(Metric):
    """Share of real points whose ball contains a sample (Naeem et al., 2020).

    Naeem et al., 2020, eq. 4. Higher is better. features [n, d], reference_features [m, d] -> scalar in [0, 1]. The
    radius of a real point's ball is the distance to its `k`-th nearest other real point. A perfect sampler has 1 -
    prod_i (m - i) / (n + m - i) over i = 1..k, near 1 - 2^-k for n = m: it depends on n, m and k but not on the target.
    More samples raise it, so compare at equal n; use a thousand or more. In many dimensions slightly shrunken samples
    score more than perfect ones. The interval is that of the seeds.
    """

    reference = """
    @inproceedings{naeem2020density, author = {Naeem, Muhammad Ferjad and Oh, Seong Joon and Uh, Youngjung and Choi,
      Yunjey and Yoo, Jaejun}, title = {Reliable Fidelity and Diversity Metrics for Generative Models},
      booktitle = {International Conference on Machine Learning}, year = {2020}}"""

    k: PositiveInt = 5
    dissimilarity: Dissimilarity = named("euclidean")
    higher_is_better: ClassVar[bool | None] = True
    ideal: ClassVar[float | None] = None

    def __call__(self, features: Tensor, reference_features: Tensor) -> float:
        y = reference_features.double()
        by = self.dissimilarity
        return float(holders(features.double(), y, radii(y, self.k, by), by).double().mean())


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [Density, Coverage]
