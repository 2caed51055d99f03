"""DDIM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Sampler, UnitInterval, derived, hookimpl

from ._ancestral import Ancestral, skipped

if TYPE_CHECKING:
    from torch import Tensor

    from ._linear import Levels


class DDIM(Ancestral):
    """Denoising diffusion implicit model with any spacing (Song et al., 2021).

    x_s = sqrt(A_s) x_0 + sqrt(B_s - lambda^2) eps + lambda z (Song et al., 2021, equation 12) with lambda^2 = eta^2
    beta_{t|s} B_s / B_t: `ddpm` at eta = 1, without noise at eta = 0, where it is Euler's method for the probability
    flow, of order 1. With a variance at eta = 0 it is Analytic-DDIM (Bao et al., 2022).
    """

    reference = """
    @inproceedings{song2021ddim, author = {Song, Jiaming and Meng, Chenlin and Ermon, Stefano}, title = {Denoising
      Diffusion Implicit Models}, booktitle = {International Conference on Learning Representations}, year =
      {2021}}"""

    eta: UnitInterval = 0.0

    order = derived(lambda self: None if self.eta else 1)
    """Order 1 without noise: Euler's method for the probability flow."""

    def step(self, t: Levels, s: Levels) -> tuple[Tensor, Tensor, Tensor]:
        """Coefficients with eps = (x_t - sqrt(A_t) x_0) / sqrt(B_t) substituted."""
        added = self.eta**2 * skipped(t, s) * s.beta_bar / t.beta_bar
        scale = ((s.beta_bar - added) / t.beta_bar).sqrt()
        return scale, s.signal - scale * t.signal, added


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [DDIM]
