"""Argmax under Student's t noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import BenchError, Positive, Transform, hookimpl

from ._noise import Noise
from ._student import Student

if TYPE_CHECKING:
    from ._law import Law


class StudentT(Noise):
    """Probability that each class wins under Student's t noise.

    P(argmax_j (logit_j + scale * noise_j) = i) for independent Student's t noise with `df` degrees of freedom. Logits
    [..., n] -> probabilities [..., n]. `df` is between 0.5 and 100 and cannot be learned or scheduled. float32 rows
    with a class more than 32 scales below the best, which may still win, take up to three times as long, or much longer
    where `df` is not between 1 and 6.
    """

    df: Positive = 3.0

    def law(self) -> Law:
        """Student's t distribution of scale 1. Raises BenchError where `df` is learned or out of range."""
        if not isinstance(self.df, float) or not 0.5 <= self.df <= 100:
            raise BenchError(
                "student_t.df must be a fixed number between 0.5 and 100: its derivative is not implemented"
            )
        return Student(self.df)

    def reference_noise(self) -> Any:
        """Noise distribution, for an independent reference."""
        from scipy import stats

        return stats.t(self.df, scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [StudentT]
