"""Improved precision and recall."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.stock.metrics._neighbours import balls, radii

from harness import Count, Dissimilarity, Metric, hookimpl, named

if TYPE_CHECKING:
    from torch import Tensor


class Precision(Metric):
    """The share of samples within reach of real points (Kynkaanniemi et al., 2019, eq. 1 and 2). Higher is better.

    features [n, d], reference_features [m, d] -> scalar in [0, 1]. A real point reaches as far as its `k`-th nearest
    other real point. It depends on n and m, is below 1 for a perfect sampler, and one that keeps to the densest part
    scores more than a perfect one: read it beside `recall`, and compare with independent draws at the same n. Several
    thousand samples. A single outlier among the real points reaches far. The interval is that of the seeds.
    """

    k: Count = 3
    dissimilarity: Dissimilarity = named("euclidean")
    better: ClassVar[str] = "higher"
    floor: ClassVar[float | None] = None

    def __call__(self, features: Tensor, reference_features: Tensor) -> float:
        return reached(features.double(), reference_features.double(), self.k, self.dissimilarity)


class Recall(Metric):
    """The share of real points within reach of samples (Kynkaanniemi et al., 2019, eq. 1 and 2). Higher is better.

    features [n, d], reference_features [m, d] -> scalar in [0, 1]. A sample reaches as far as its `k`-th nearest other
    sample. It depends on n and m, is below 1 for a perfect sampler, and samples that are spread too widely score more
    than perfect ones: read it beside `precision`, and compare with independent draws at the same n. Several thousand
    samples. The interval is that of the seeds.
    """

    k: Count = 3
    dissimilarity: Dissimilarity = named("euclidean")
    better: ClassVar[str] = "higher"
    floor: ClassVar[float | None] = None

    def __call__(self, features: Tensor, reference_features: Tensor) -> float:
        return reached(reference_features.double(), features.double(), self.k, self.dissimilarity)


def reached(x: Tensor, centres: Tensor, k: int, by: Dissimilarity) -> float:
    """The share of points [n, d] within the k-th neighbour's distance of some of [m, d]."""
    return float((balls(x, centres, radii(centres, k, by), by) > 0).double().mean())


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [Precision, Recall]
