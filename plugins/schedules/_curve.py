"""Schedules given by a smooth curve that falls to 0 at the last time."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from harness import Schedule


class Curve(Schedule):
    """A_t follows a curve at all real t up to T - 1; the last step keeps the share `kept` of A, log A_t straight."""

    kept: ClassVar[float] = 0.001

    @abstractmethod
    def curve(self, remaining: Tensor) -> Tensor:
        """A at the share 1 - t / T of the time that remains: 1 at 1, falling to 0 at 0, float64."""

    def alpha_bar(self, t: Tensor | float) -> Tensor:
        """A_t, float64, at real times t in [0, T] of any shape."""
        t = torch.as_tensor(t, dtype=torch.float64)
        last = self.steps - 1
        # Of the time that remains, not of t: the curve keeps its relative accuracy where it is small.
        smooth = self.curve((self.steps - t.clamp(max=last)) / self.steps)
        return smooth * self.kept ** (t - last).clamp(min=0)
