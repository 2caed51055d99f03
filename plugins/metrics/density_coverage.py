"""Density and coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.stock.metrics._neighbours import balls, holders, radii

from harness import Count, Dissimilarity, Metric, hookimpl, named

if TYPE_CHECKING:
    from torch import Tensor


class Density(Metric):
    """How many real points reach a sample, over `k` (Naeem et al., 2020, eq. 4). A description: 1 is perfect.

    features [n, d], reference_features [m, d] -> scalar from 0 up. A real point reaches as far as its `k`-th nearest
    other real point. Its expectation is exactly 1 for a perfect sampler, at every n, m and k: of m exchangeable points
    each is among the k nearest with chance k / m. Less says that samples lie where no data are, more that they keep to
    the densest part. A thousand samples or more. The interval is that of the seeds.
    """

    k: Count = 5
    dissimilarity: Dissimilarity = named("euclidean")
    better: ClassVar[str | None] = None
    floor: ClassVar[float | None] = 1.0

    def __call__(self, features: Tensor, reference_features: Tensor) -> float:
        y = reference_features.double()
        by = self.dissimilarity
        return float(balls(features.double(), y, radii(y, self.k, by), by).double().mean()) / self.k


class Coverage(Metric):
    """The share of real points with a sample within their reach (Naeem et al., 2020, eq. 4). Higher is better.

    features [n, d], reference_features [m, d] -> scalar in [0, 1]. A real point reaches as far as its `k`-th nearest
    other real point. A perfect sampler has 1 - prod_i (m - i) / (n + m - i) over i = 1..k, near 1 - 2^-k for n = m: it
    depends on n, m and k but not on the target. More samples raise it, so compare at equal n; a thousand or more. In
    many dimensions samples drawn in a little score more than perfect ones. The interval is that of the seeds.
    """

    k: Count = 5
    dissimilarity: Dissimilarity = named("euclidean")
    better: ClassVar[str] = "higher"
    floor: ClassVar[float | None] = None

    def __call__(self, features: Tensor, reference_features: Tensor) -> float:
        y = reference_features.double()
        by = self.dissimilarity
        return float(holders(features.double(), y, radii(y, self.k, by), by).double().mean())


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [Density, Coverage]
