"""Argmax under Cauchy noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import Transform, hookimpl

from ._noise import Noise
from ._student import Student

if TYPE_CHECKING:
    from ._law import Law


class Cauchy(Noise):
    """Probability that each class wins under Cauchy noise.

    P(argmax_j (logit_j + scale * noise_j) = i) for independent Cauchy noise, which is Student's t with df = 1. Logits
    [..., n] -> probabilities [..., n]. Two classes d apart: 1/2 + atan(d / (2 scale)) / pi. float32 rows with a class
    more than 32 scales below the best, which may still win, take up to three times as long.
    """

    def law(self) -> Law:
        """The standard Cauchy distribution."""
        return Student(1.0)

    def reference_noise(self) -> Any:
        """Noise distribution, for an independent reference."""
        from scipy import stats

        return stats.cauchy(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [Cauchy]
