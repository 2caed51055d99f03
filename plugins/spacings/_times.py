"""Base class of all spacings: the number of steps is checked, the times decrease and end in the data."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from harness import BenchError, Schedule, Spacing


class Times(Spacing):
    """A spacing defined by where its steps start; equal times are merged and 0 is appended."""

    @abstractmethod
    def starts(self, schedule: Schedule, steps: int) -> Tensor:
        """Times above 0 [n], in any order, n at most `steps`."""

    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        """Times, float64, strictly decreasing, ending in 0. Raises BenchError for more steps than the schedule has."""
        check(self, schedule, steps)
        starts = self.starts(schedule, steps).tolist()
        return torch.tensor([*sorted(set(starts), reverse=True), 0], dtype=torch.float64)


def check(spacing: Spacing, schedule: Schedule, steps: int) -> None:
    """Raises BenchError for a number of steps that the schedule does not have."""
    if not 1 <= steps <= schedule.num_train_timesteps:
        raise BenchError(f"{spacing!r}: {steps} steps asked of a schedule with {schedule.num_train_timesteps}")
