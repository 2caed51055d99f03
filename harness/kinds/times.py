"""When there is how much noise: schedules, and the grids of times that samplers visit.

Times are real, 0 < t <= T, and 0 is data. A_t is the share of the data's variance that is left at t, B_t = 1 - A_t that
of the noise: x_t = sqrt(A_t) x_0 + sqrt(B_t) e with e normal.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from harness.base import Component
from harness.fields import Count

if TYPE_CHECKING:
    from torch import Tensor


class Schedule(Component):
    """How much noise there is at a time. `steps` is T, the last time."""

    kind: ClassVar[str] = "schedule"
    steps: Count = 1000

    @abstractmethod
    def alpha_bar(self, t: Tensor) -> Tensor:
        """A_t, float64, at real times t in [0, T] of any shape; 1 at 0, falling."""

    def sigma(self, t: Tensor) -> Tensor:
        """sqrt(B_t / A_t), float64: the deviation of the noise beside data of unit weight."""
        kept = self.alpha_bar(t)
        return ((1 - kept) / kept).sqrt()


class Grid(Component):
    """The times a sampler visits. `costs` says that it needs the cost of every step."""

    kind: ClassVar[str] = "grid"
    costs: ClassVar[bool] = False

    @classmethod
    def is_made(cls) -> bool:
        """One that needs costs: they are the same for any number of steps."""
        return cls.costs

    @abstractmethod
    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        """Float64 times, strictly decreasing, ending in 0; equal ones merged: at most `steps` + 1 of them.

        `cost` [T + 1, T + 1] is what a step from t (row) to s (column) costs. Raises BenchError for more steps than
        the schedule has.
        """
