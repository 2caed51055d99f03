"""Argmax under Student's t noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.stock.transforms._noise import Noise
from harness.stock.transforms._student import Student

from harness import BenchError, Positive, Transform, hookimpl

if TYPE_CHECKING:
    from harness.stock.transforms._laws import Law


class StudentT(Noise):
    """P(argmax_j (logit_j + scale * noise_j) = i) for independent Student's t noise with `df` degrees of freedom.

    [..., n] -> [..., n]. `df` is between 0.5 and 100 and cannot be learned or scheduled. float32 rows with a class more
    than 32 scales below the best take a slower way, since that class may win all the same.
    """

    df: Positive = 3.0

    def law(self) -> Law:
        """Student's t distribution of scale 1. Raises BenchError where `df` is learned or out of range."""
        if not isinstance(self.df, float) or not 0.5 <= self.df <= 100:
            raise BenchError("student_t.df must be a fixed number between 0.5 and 100: no derivative for df is at hand")
        return Student(self.df)

    def reference_noise(self) -> Any:
        """The noise, for an independent reference."""
        from scipy import stats

        return stats.t(self.df, scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [StudentT]
