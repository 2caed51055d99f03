"""Su's schedule."""

from __future__ import annotations

import torch
from torch import Tensor

from harness import Schedule, hookimpl

from ._betas import Betas


class Su(Betas):
    """Betas proportional to time (Su, 2022).

    beta_t = 0.02 t / T: a step keeps sqrt(1 - 0.02 t / T) of the signal (Su, 2022, kexue.fm/archives/9119). Log-linear
    between whole times. Designed for T = 1000 and not scaled: A_T is about exp(-T / 100), so far fewer steps end well
    short of pure noise.
    """

    def betas(self) -> Tensor:
        """Values beta_1 .. beta_T [T]."""
        return 0.02 * torch.arange(1, self.num_train_timesteps + 1, dtype=torch.float64) / self.num_train_timesteps


@hookimpl
def components() -> list[type[Schedule]]:
    """The component classes of this module."""
    return [Su]
