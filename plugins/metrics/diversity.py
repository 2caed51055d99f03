"""How far samples are from each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.stock.metrics._pairs import mean_over_pairs

from harness import Metric, distances, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Diversity(Metric):
    """The mean distance between two samples over that between two real points. A description: 1 is perfect.

    features [n, d], reference_features [m, d] -> scalar from 0 up. Unbiased but for the quotient; a few hundred samples
    are enough. Less says that samples keep together, more that they are spread too widely; samples between the modes
    can make up for lost ones. The interval is that of the seeds.
    """

    better: ClassVar[str | None] = None

    def __call__(self, features: Tensor, reference_features: Tensor) -> float:
        x, y = (mean_over_pairs(distances, points.double()) for points in (features, reference_features))
        return float(x / y)


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [Diversity]
