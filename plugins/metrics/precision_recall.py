"""Improved precision and recall."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Dissimilarity, Metric, PositiveInt, hookimpl, named

from ._neighbors import balls, radii

if TYPE_CHECKING:
    from torch import Tensor


class Precision(Metric):
    """Share of samples near real points (Kynkaanniemi et al., 2019).

    Kynkaanniemi et al., 2019, eq. 1 and 2. Higher is better. features [n, d], reference_features [m, d] -> scalar in
    [0, 1]. A sample counts if it lies within the distance of some real point to its `k`-th nearest other real point.
    The value depends on n and m and is below 1 for a perfect sampler, and a sampler that keeps to the densest part
    scores more than a perfect one: read it beside `recall`, and compare with independent draws at the same n. Use
    several thousand samples. A single outlier among the real points covers a large region. The interval is that of the
    seeds.
    """

    reference = r"""
    @inproceedings{kynkaanniemi2019precision, author = {Kynk{\"a}{\"a}nniemi, Tuomas and Karras, Tero and Laine,
      Samuli and Lehtinen, Jaakko and Aila, Timo}, title = {Improved Precision and Recall Metric for Assessing
      Generative Models}, booktitle = {Advances in Neural Information Processing Systems}, year = {2019}}"""

    k: PositiveInt = 3
    dissimilarity: Dissimilarity = named("euclidean")
    higher_is_better: ClassVar[bool | None] = True
    ideal: ClassVar[float | None] = None

    def __call__(self, features: Tensor, reference_features: Tensor) -> float:
        return reached(features.double(), reference_features.double(), self.k, self.dissimilarity)


class Recall(Metric):
    """Share of real points near samples (Kynkaanniemi et al., 2019).

    Kynkaanniemi et al., 2019, eq. 1 and 2. Higher is better. features [n, d], reference_features [m, d] -> scalar in
    [0, 1]. A real point counts if it lies within the distance of some sample to its `k`-th nearest other sample. The
    value depends on n and m and is below 1 for a perfect sampler, and samples that are spread too widely score more
    than perfect ones: read it beside `precision`, and compare with independent draws at the same n. Use several
    thousand samples. The interval is that of the seeds.
    """

    reference = r"""
    @inproceedings{kynkaanniemi2019precision, author = {Kynk{\"a}{\"a}nniemi, Tuomas and Karras, Tero and Laine,
      Samuli and Lehtinen, Jaakko and Aila, Timo}, title = {Improved Precision and Recall Metric for Assessing
      Generative Models}, booktitle = {Advances in Neural Information Processing Systems}, year = {2019}}"""

    k: PositiveInt = 3
    dissimilarity: Dissimilarity = named("euclidean")
    higher_is_better: ClassVar[bool | None] = True
    ideal: ClassVar[float | None] = None

    def __call__(self, features: Tensor, reference_features: Tensor) -> float:
        return reached(reference_features.double(), features.double(), self.k, self.dissimilarity)


def reached(x: Tensor, centers: Tensor, k: int, by: Dissimilarity) -> float:
    """Share of points [n, d] within the k-th neighbor's distance of some of [m, d]."""
    return float((balls(x, centers, radii(centers, k, by), by) > 0).double().mean())


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [Precision, Recall]
