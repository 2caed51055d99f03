"""Times of a schedule at given noise levels sigma = sqrt(B_t / A_t)."""

from __future__ import annotations

import torch
from torch import Tensor

from harness import BenchError, Schedule

SLACK = 1e-3
"""Relative difference of two levels that are the same: schedulers keep A_t in single precision."""


def time_of(schedule: Schedule, sigma: Tensor) -> Tensor:
    """Times at which sqrt(B_t / A_t) is sigma, float64, by bisection; the last time for larger sigma."""
    low, high = torch.zeros_like(sigma), torch.full_like(sigma, schedule.num_train_timesteps)
    for _ in range(60):
        middle = (low + high) / 2
        below = schedule.sigma(middle) < sigma
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return high


def last_sigma(schedule: Schedule) -> float:
    """Level at T. Raises BenchError where nothing is left of the data there."""
    sigma = float(schedule.sigma(torch.tensor(float(schedule.num_train_timesteps), dtype=torch.float64)))
    if not sigma < torch.inf:
        raise BenchError(f"it works in sigma, which is infinite at T, where {schedule!r} leaves nothing of the data")
    return sigma


class Times:
    """Times of the levels at which a network is asked, each found once; those of `known` need no search."""

    def __init__(self, schedule: Schedule, known: dict[float, float] | None = None) -> None:
        self._schedule, self._last, self._known = schedule, last_sigma(schedule), known or {}

    def __call__(self, sigma: float) -> float:
        """Time of a level. Raises BenchError beyond that of T."""
        if not sigma <= self._last * (1 + SLACK):
            raise BenchError(
                f"the network would be asked at sigma = {sigma:.4g}, beyond {self._last:.4g}, the last of its schedule"
            )
        if sigma not in self._known:
            self._known[sigma] = float(time_of(self._schedule, torch.tensor(sigma, dtype=torch.float64)))
        return self._known[sigma]
