"""DDPM, by inverting one step of the forward process."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Sampler, hookimpl

from ._ancestral import Ancestral, skipped

if TYPE_CHECKING:
    from torch import Tensor

    from ._linear import Levels


class DDPM(Ancestral):
    """Ancestral sampling from the posterior mean (Ho et al., 2020).

    For any spacing. One forward step is x_t = a x_s + b e, a^2 = 1 - beta, b^2 = beta = beta_{t|s}; inverted it is
    x_s = (x_t - b e) / a. All the noise in x_t is sqrt(B_t) eps = a sqrt(B_s) eps_s + b e, of which e has the share b /
    sqrt(B_t): by regression E[e | x_t] = b / sqrt(B_t) eps(x_t), and the remaining variance of x_s is beta B_s / B_t.
    """

    reference = """
    @inproceedings{ho2020ddpm, author = {Ho, Jonathan and Jain, Ajay and Abbeel, Pieter}, title = {Denoising
      Diffusion Probabilistic Models}, booktitle = {Advances in Neural Information Processing Systems}, year =
      {2020}}"""

    of: ClassVar[str] = "eps"

    def step(self, t: Levels, s: Levels) -> tuple[Tensor, Tensor, Tensor]:
        """Coefficients of (x_t - beta / sqrt(B_t) eps) / sqrt(1 - beta), and beta B_s / B_t."""
        beta = skipped(t, s)
        kept = (1 - beta).sqrt()
        return 1 / kept, -beta / (t.noise * kept), beta * s.beta_bar / t.beta_bar


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [DDPM]
