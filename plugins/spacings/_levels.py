"""Spacings that are even in some measure of the noise, at real times."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from harness import Schedule

from ._times import Times

HALVINGS = 64
"""Bisections enough to reduce any interval to adjacent numbers, relative to its upper end."""


class Levels(Times):
    """A spacing whose steps start at chosen noise levels sigma = sqrt(B_t / A_t), from the level at T to that at 1."""

    @abstractmethod
    def levels(self, high: Tensor, low: Tensor, share: Tensor) -> Tensor:
        """Levels [n] at the shares [n] of the way from high to low."""

    def starts(self, schedule: Schedule, steps: int) -> Tensor:
        """T, the times of the levels between, and 1; a single step starts at T."""
        ends = torch.tensor([schedule.num_train_timesteps, 1.0], dtype=torch.float64)
        high, low = schedule.sigma(ends)
        share = torch.linspace(0, 1, max(steps, 2), dtype=torch.float64)[1:-1]
        between = time_of(schedule, self.levels(high, low, share))
        return torch.cat([ends[: min(steps, 2)], between])


def time_of(schedule: Schedule, sigma: Tensor) -> Tensor:
    """Real times [n] in [0, T] at which a schedule has the noise levels [n], by bisection."""
    low, high = torch.zeros_like(sigma), torch.full_like(sigma, schedule.num_train_timesteps)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        short = schedule.sigma(middle) < sigma
        low, high = torch.where(short, middle, low), torch.where(short, high, middle)
    return high
