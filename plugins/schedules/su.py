"""Su's schedule."""

from __future__ import annotations

import torch
from harness.stock.schedules._betas import Betas
from torch import Tensor

from harness import Schedule, hookimpl


class Su(Betas):
    """beta_t = 0.02 t / T: a step keeps sqrt(1 - 0.02 t / T) of the signal (Su, 2022, kexue.fm/archives/9119).

    Log-linear between whole times. Made for T = 1000 and not scaled: A_T is about exp(-T / 100), so far fewer steps
    end well short of pure noise.
    """

    def betas(self) -> Tensor:
        """beta_1 .. beta_T [T]."""
        return 0.02 * torch.arange(1, self.steps + 1, dtype=torch.float64) / self.steps


@hookimpl
def components() -> list[type[Schedule]]:
    """What this file brings."""
    return [Su]
