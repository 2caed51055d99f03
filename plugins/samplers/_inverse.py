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
    """Level at T, infinite where nothing is left of the data there."""
    return float(schedule.sigma(torch.tensor(float(schedule.num_train_timesteps), dtype=torch.float64)))


def finite_last_sigma(schedule: Schedule) -> float:
    """Level at T. Raises BenchError where it is infinite."""
    sigma = last_sigma(schedule)
    if not sigma < torch.inf:
        raise BenchError(f"it starts at the sigma of T, which is infinite by {schedule!r}")
    return sigma


class Times:
    """Times of the levels at which a network is asked, each found once."""

    def __init__(self, schedule: Schedule, sigmas: Tensor, times: Tensor | None = None) -> None:
        """`sigmas` [n] are levels to expect, found at once; no search where their `times` [n] are known."""
        self._schedule, self._last = schedule, last_sigma(schedule)
        found = time_of(schedule, sigmas.double()) if times is None else times
        self._known: dict[float, float] = dict(zip(sigmas.tolist(), found.tolist(), strict=True))

    def __call__(self, sigma: float) -> float:
        """Time of a level. Raises BenchError beyond that of T, and for an infinite one."""
        if not (sigma <= self._last * (1 + SLACK) and sigma < torch.inf):
            raise BenchError(
                f"the network would be asked at sigma = {sigma:.4g}, and the last of its schedule is {self._last:.4g}"
            )
        if sigma not in self._known:
            self._known[sigma] = float(time_of(self._schedule, torch.tensor(sigma, dtype=torch.float64)))
        return self._known[sigma]
