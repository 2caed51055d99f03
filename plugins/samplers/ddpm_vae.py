"""DDPM, as the decoder of a hierarchical variational autoencoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Sampler, hookimpl

from ._ancestral import Ancestral

if TYPE_CHECKING:
    from torch import Tensor

    from ._linear import Levels


class DDPMVae(Ancestral):
    """DDPM derived as a variational decoder; equal to `ddpm`.

    Ancestral sampling by the decoder that maximizes the evidence bound (Ho et al., 2020). The bound is a sum over steps
    of KL(encoder's x_s given x_t, x_0 || decoder's x_s given x_t), so the best normal decoder has the encoder's mean at
    the x_0 it expects. In the encoder x_s and x_t are jointly normal given x_0, with variances B_s and B_t and
    covariance sqrt(A_t / A_s) B_s: x_s follows x_t - E[x_t | x_0] with the gain k, their covariance over B_t, and keeps
    the variance B_s - k^2 B_t.
    """

    reference = """
    @inproceedings{ho2020ddpm, author = {Ho, Jonathan and Jain, Ajay and Abbeel, Pieter}, title = {Denoising
      Diffusion Probabilistic Models}, booktitle = {Advances in Neural Information Processing Systems}, year =
      {2020}}"""

    def step(self, t: Levels, s: Levels) -> tuple[Tensor, Tensor, Tensor]:
        """Coefficients of sqrt(A_s) x_0 + k (x_t - sqrt(A_t) x_0), and B_s - k^2 B_t."""
        gain = t.signal / s.signal * s.beta_bar / t.beta_bar
        return gain, s.signal - gain * t.signal, s.beta_bar - gain.square() * t.beta_bar


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [DDPMVae]
