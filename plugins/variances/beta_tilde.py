"""Smallest reverse variance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness import Variance, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from harness import DiffusionModel


class BetaTilde(Variance):
    """Smallest reverse variance, exact for data at a single point.

    c = 0, as if x_t determined x_0. DDPM then takes its step from t to s with the variance beta~_{t|s} (Ho et al.,
    2020, section 3.2).
    """

    reference = """
    @inproceedings{ho2020ddpm, author = {Ho, Jonathan and Jain, Ajay and Abbeel, Pieter}, title = {Denoising
      Diffusion Probabilistic Models}, booktitle = {Advances in Neural Information Processing Systems}, year =
      {2020}}"""

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> float:
        """The number 0."""
        return 0.0


@hookimpl
def components() -> list[type[Variance]]:
    """The component classes of this module."""
    return [BetaTilde]
