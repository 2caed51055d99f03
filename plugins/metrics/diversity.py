"""Mean distance between samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Metric, hookimpl, pairwise_distances

from ._pairs import mean_over_pairs

if TYPE_CHECKING:
    from torch import Tensor


class Diversity(Metric):
    """Mean distance between two samples over that between two real points.

    A description: 1 is perfect. features [n, d], reference_features [m, d] -> scalar from 0 up. Unbiased but for the
    quotient; a few hundred samples are enough. A lower value means that samples are too close together, a higher one
    that they are spread too widely; samples between the modes can compensate for lost ones. The interval is that of the
    seeds.
    """

    higher_is_better: ClassVar[bool | None] = None

    def __call__(self, features: Tensor, reference_features: Tensor) -> float:
        x, y = (mean_over_pairs(pairwise_distances, points.double()) for points in (features, reference_features))
        return float(x / y)


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [Diversity]
