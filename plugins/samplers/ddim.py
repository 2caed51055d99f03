"""DDIM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stock.samplers._ancestral import Ancestral, skipped

from harness import Sampler, Unit, hookimpl

if TYPE_CHECKING:
    from harness.stock.samplers._linear import Levels
    from torch import Tensor


class DDIM(Ancestral):
    """x_s = sqrt(A_s) x_0 + sqrt(B_s - lambda^2) eps + lambda z (Song et al., 2021, equation 12), for any grid.

    lambda^2 = eta^2 beta_{t|s} B_s / B_t: without noise at eta = 0, `ddpm` at eta = 1. With a variance at eta = 0 it is
    Analytic-DDIM (Bao et al., 2022).
    """

    eta: Unit = 0.0

    @property
    def order(self) -> float | None:
        """1 without noise: Euler's method for the probability flow."""
        return None if self.eta else 1

    def step(self, t: Levels, s: Levels) -> tuple[Tensor, Tensor, Tensor]:
        """With eps = (x_t - sqrt(A_t) x_0) / sqrt(B_t) put in."""
        added = self.eta**2 * skipped(t, s) * s.beta_bar / t.beta_bar
        scale = ((s.beta_bar - added) / t.beta_bar).sqrt()
        return scale, s.signal - scale * t.signal, added


@hookimpl
def components() -> list[type[Sampler]]:
    """What this file brings."""
    return [DDIM]
