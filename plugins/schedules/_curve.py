"""Schedules defined by a smooth curve that falls to 0 at the last time."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from harness import Schedule


class Curve(Schedule):
    """A schedule on a curve at all real t up to T - 1; the last step keeps the share `kept` of A, log A_t straight."""

    kept: ClassVar[float] = 0.001

    @abstractmethod
    def curve(self, remaining: Tensor) -> Tensor:
        """A at the remaining share 1 - t / T of time: 1 at 1, falling to 0 at 0, float64."""

    def alpha_bar(self, t: Tensor | float) -> Tensor:
        """A_t, float64, at real times t in [0, T] of any shape."""
        t = torch.as_tensor(t, dtype=torch.float64)
        last = self.num_train_timesteps - 1
        # In the remaining time, not in t: the curve keeps its relative accuracy where it is small.
        smooth = self.curve((self.num_train_timesteps - t.clamp(max=last)) / self.num_train_timesteps)
        return smooth * self.kept ** (t - last).clamp(min=0)
