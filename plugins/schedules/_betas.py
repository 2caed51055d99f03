"""Schedules defined by the noise that every whole step adds."""

from __future__ import annotations

import functools
from abc import abstractmethod

import torch
from torch import Tensor

from harness import BenchError, Schedule


class Betas(Schedule):
    """A schedule A_t = prod_{i <= t} (1 - beta_i) at whole t; between them log A_t is a straight line.

    That is a constant rate of noise within a step.
    """

    @abstractmethod
    def betas(self) -> Tensor:
        """Values beta_1 .. beta_T [T], float64, below 1."""

    def alpha_bar(self, t: Tensor | float) -> Tensor:
        """A_t, float64, at real times t in [0, T] of any shape. Raises BenchError where a beta is 1 or more."""
        t = torch.as_tensor(t, dtype=torch.float64)
        logs = _logs(self, t.device)
        whole = t.floor().clamp(0, self.num_train_timesteps - 1)
        left = whole.long()
        return torch.lerp(logs[left], logs[left + 1], t - whole).exp()


@functools.lru_cache(maxsize=64)
def _logs(schedule: Betas, device: torch.device) -> Tensor:
    """Values of log A_t at the whole times 0 .. T."""
    betas = schedule.betas()
    if not bool((betas < 1).all()):
        raise BenchError(f"{schedule!r}: a step would add {float(betas.max()):.3g} of noise, it must be below 1")
    return torch.cat([torch.zeros(1, dtype=torch.float64), torch.log1p(-betas).cumsum(0)]).to(device)
