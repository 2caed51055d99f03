"""Largest reverse variance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from harness import Variance, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from harness import DiffusionModel


class Beta(Variance):
    """Largest reverse variance, exact for standard normal data.

    c = B_t, the variance of standard normal data given x_t. With lambda^2 = beta~_{t|s} and gamma = sqrt(A_s)
    beta_{t|s} / B_t, a step of DDPM from t to s then has the variance lambda^2 + gamma^2 B_t = beta_{t|s} = 1 - A_t /
    A_s, for every s < t (Ho et al., 2020, section 3.2).
    """

    reference = """
    @inproceedings{ho2020ddpm, author = {Ho, Jonathan and Jain, Ajay and Abbeel, Pieter}, title = {Denoising
      Diffusion Probabilistic Models}, booktitle = {Advances in Neural Information Processing Systems}, year =
      {2020}}"""

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> float:
        """The number B_t."""
        return 1 - float(model.schedule.alpha_bar(torch.tensor(t, dtype=torch.float64)))


@hookimpl
def components() -> list[type[Variance]]:
    """The component classes of this module."""
    return [Beta]
