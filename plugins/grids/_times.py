"""What all grids share: the number of steps is checked, the times go down and end in the data."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from harness import BenchError, Grid, Schedule


class Times(Grid):
    """A grid that says where its steps start; equal times are merged and 0 put last."""

    @abstractmethod
    def starts(self, schedule: Schedule, steps: int) -> Tensor:
        """Times above 0 [n], in any order, n at most `steps`."""

    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        """Float64, strictly decreasing, ending in 0. Raises BenchError for more steps than the schedule has."""
        check(self, schedule, steps)
        starts = self.starts(schedule, steps).tolist()
        return torch.tensor([*sorted(set(starts), reverse=True), 0], dtype=torch.float64)


def check(grid: Grid, schedule: Schedule, steps: int) -> None:
    """Raises BenchError for a number of steps that the schedule does not have."""
    if not 1 <= steps <= schedule.steps:
        raise BenchError(f"{grid!r}: {steps} steps asked of a schedule with {schedule.steps}")
