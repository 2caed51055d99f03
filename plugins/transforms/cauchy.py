"""Argmax under Cauchy noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.stock.transforms._noise import Noise
from harness.stock.transforms._student import Student

from harness import Transform, hookimpl

if TYPE_CHECKING:
    from harness.stock.transforms._laws import Law


class Cauchy(Noise):
    """P(argmax_j (logit_j + scale * noise_j) = i) for independent Cauchy noise: Student's t with df = 1.

    [..., n] -> [..., n]. Two classes d apart: 1/2 + atan(d / (2 scale)) / pi. float32 rows with a class more
    than 32 scales below the best take a slower way, since that class may win all the same.
    """

    def law(self) -> Law:
        """The standard Cauchy distribution."""
        return Student(1.0)

    def reference_noise(self) -> Any:
        """The noise, for an independent reference."""
        from scipy import stats

        return stats.cauchy(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [Cauchy]
