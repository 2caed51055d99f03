"""DDPM, by rebuilding what was torn down."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.stock.samplers._ancestral import Ancestral, skipped

from harness import Sampler, hookimpl

if TYPE_CHECKING:
    from harness.stock.samplers._linear import Levels
    from torch import Tensor


class DDPM(Ancestral):
    """Ancestral sampling from the posterior mean (Ho et al., 2020), for any grid.

    One step down is x_t = a x_s + b e, a^2 = 1 - beta, b^2 = beta = beta_{t|s}; undone it is x_s = (x_t - b e) / a. All
    the noise in x_t is sqrt(B_t) eps = a sqrt(B_s) eps_s + b e, of which e has the share b / sqrt(B_t): regression puts
    E[e | x_t] = b / sqrt(B_t) eps(x_t), and what it leaves of x_s has variance beta B_s / B_t.
    """

    of: ClassVar[str] = "eps"

    def step(self, t: Levels, s: Levels) -> tuple[Tensor, Tensor, Tensor]:
        """(x_t - beta / sqrt(B_t) eps) / sqrt(1 - beta), and beta B_s / B_t."""
        beta = skipped(t, s)
        kept = (1 - beta).sqrt()
        return 1 / kept, -beta / (t.noise * kept), beta * s.beta_bar / t.beta_bar


@hookimpl
def components() -> list[type[Sampler]]:
    """What this file brings."""
    return [DDPM]
