"""The sampler of EDM."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import torch
from harness.stock.samplers._heun import heun
from harness.stock.samplers._linear import Levels, Linear, Plan

from harness import NonNegative, Positive, Sampler, Schedule, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class EDMHeun(Linear):
    """Heun's method in sigma = sqrt(B_t / A_t), with noise put in between the steps (Karras et al., 2022, algorithm 2).

    A step of K from sigma in [s_tmin, s_tmax] starts from (1 + g) sigma, g = min(s_churn / K, sqrt(2) - 1), reached by
    noise s_noise times what the process would add; never beyond its last time, so the first step has none. The last
    step, to 0, is Euler's, which ends at the guess of x_0. The grid is a part of its own: the authors' is `karras`.
    """

    ignores: ClassVar[Sequence[str]] = ("variance",)
    s_churn: NonNegative = 0.0
    s_tmin: NonNegative = 0.0
    s_tmax: Positive | None = None
    s_noise: Positive = 1.0

    @property
    def order(self) -> float | None:
        """2 without noise."""
        return None if self.s_churn else 2

    def steps_for(self, nfe: int) -> int:
        """Of 2 K - 1 evaluations."""
        return (nfe + 1) // 2

    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """The table: two rows a step, one for the last."""
        levels = Levels.at(schedule, times)
        start = levels.starts()
        if self.s_churn:
            growth = 1 + min(self.s_churn / len(start.times), math.sqrt(2) - 1)
            churned = (start.ratio >= self.s_tmin) & (start.ratio <= (self.s_tmax or math.inf))
            later = _when(schedule, growth * start.ratio)
            start = Levels.at(schedule, torch.where(churned, later, start.times))
        return heun(start, levels.ends(), self.s_noise)


def _when(schedule: Schedule, sigma: Tensor) -> Tensor:
    """The times of the schedule at which sqrt(B_t / A_t) is sigma, by halving; its last time for more than it has."""
    low, high = torch.zeros_like(sigma), torch.full_like(sigma, schedule.steps)
    for _ in range(60):
        middle = (low + high) / 2
        below = schedule.sigma(middle) < sigma
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return high


@hookimpl
def components() -> list[type[Sampler]]:
    """What this file brings."""
    return [EDMHeun]
