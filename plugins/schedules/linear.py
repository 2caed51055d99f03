"""Linear schedule."""

from __future__ import annotations

import torch
from torch import Tensor

from harness import Schedule, hookimpl

from ._betas import Betas


class Linear(Betas):
    """Betas on a straight line (Ho et al., 2020).

    beta_t straight from 1e-4 to 0.02, times 1000 / T (Ho et al., 2020; scaled by Nichol and Dhariwal, 2021). Log-linear
    between whole times. Raises BenchError when used with T from 2 to 20, where the last beta reaches 1.
    """

    reference = """
    @inproceedings{ho2020ddpm, author = {Ho, Jonathan and Jain, Ajay and Abbeel, Pieter}, title = {Denoising
      Diffusion Probabilistic Models}, booktitle = {Advances in Neural Information Processing Systems}, year =
      {2020}}"""

    def betas(self) -> Tensor:
        """Values beta_1 .. beta_T [T]."""
        return torch.linspace(1e-4, 0.02, self.num_train_timesteps, dtype=torch.float64) * (
            1000 / self.num_train_timesteps
        )


@hookimpl
def components() -> list[type[Schedule]]:
    """The component classes of this module."""
    return [Linear]
