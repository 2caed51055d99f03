"""Sigmoid schedule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from harness import BenchError, Schedule, hookimpl

from ._curve import Curve

if TYPE_CHECKING:
    from torch import Tensor


class Sigmoid(Curve):
    """Sigmoid of time (Jabri et al., 2022).

    A_t falls as a sigmoid of t, from `start` to `end` in units of `tau`, rescaled to 1 .. 0. `tau` is as in Chen, 2023:
    a large one gives nearly a straight line. The last step keeps a thousandth of A, log-linear, as 0 would be no signal
    at all. Not the sigmoid of betas of the same name. Raises BenchError unless start < end.
    """

    reference = """
    @misc{jabri2022scalable, author = {Jabri, Allan and Fleet, David and Chen, Ting}, title = {Scalable Adaptive
      Computation for Iterative Generation}, eprint = {2212.11972}, archiveprefix = {arXiv}, year = {2022}}"""

    start: Annotated[float, Ge(-50), Le(50)] = -3.0
    end: Annotated[float, Ge(-50), Le(50)] = 3.0
    tau: Annotated[float, Ge(0.1)] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start >= self.end:
            raise BenchError(f"{self!r}: start must be below end")

    def curve(self, remaining: Tensor) -> Tensor:
        """A at the remaining share of time."""
        # logistic(a) - logistic(b) = sinh((a - b) / 2) / (2 cosh(a / 2) cosh(b / 2)): no cancellation at the end.
        half = (self.end - self.start) / (2 * self.tau)
        at = self.end / (2 * self.tau) - half * remaining
        top = math.cosh(self.start / (2 * self.tau)) / math.sinh(half)
        return top * (half * remaining).sinh() / at.cosh()


@hookimpl
def components() -> list[type[Schedule]]:
    """The component classes of this module."""
    return [Sigmoid]
