"""DDPM, by Bayes' rule and a denoiser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stock.samplers._ancestral import Ancestral, skipped

from harness import Sampler, hookimpl

if TYPE_CHECKING:
    from harness.stock.samplers._linear import Levels
    from torch import Tensor


class DDPMBayes(Ancestral):
    """Ancestral sampling by q(x_s | x_t, x_0) with the guess of x_0 put in (Sohl-Dickstein et al., 2015).

    Equal to `ddpm`. By Bayes' rule q(x_s | x_t, x_0) is q(x_t | x_s) q(x_s | x_0) up to a factor: two normal reports on
    x_s, one of x_t / sqrt(1 - beta) with variance beta / (1 - beta), one of sqrt(A_s) x_0 with variance B_s. Each
    counts by the other's share of their variances, and the product of these over their sum is left.
    """

    def step(self, t: Levels, s: Levels) -> tuple[Tensor, Tensor, Tensor]:
        """The two reports, weighed."""
        beta = skipped(t, s)
        below, above = s.beta_bar, beta / (1 - beta)
        both = below + above
        return below / both / (1 - beta).sqrt(), above / both * s.signal, below * above / both


@hookimpl
def components() -> list[type[Sampler]]:
    """What this file brings."""
    return [DDPMBayes]
