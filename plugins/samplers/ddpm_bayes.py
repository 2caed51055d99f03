"""DDPM, by Bayes' rule and a denoiser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Sampler, hookimpl

from ._ancestral import Ancestral, skipped

if TYPE_CHECKING:
    from torch import Tensor

    from ._linear import Levels


class DDPMBayes(Ancestral):
    """DDPM derived by Bayes' rule; equal to `ddpm`.

    Ancestral sampling by q(x_s | x_t, x_0) with the prediction of x_0 inserted (Sohl-Dickstein et al., 2015), for any
    spacing. By Bayes' rule q(x_s | x_t, x_0) is q(x_t | x_s) q(x_s | x_0) up to a factor: a product of two normal
    densities in x_s, one with mean x_t / sqrt(1 - beta) and variance beta / (1 - beta), one with mean sqrt(A_s) x_0 and
    variance B_s. Each mean is weighted by the other's share of the sum of both variances, and the variance is the
    product of these over their sum.
    """

    reference = """
    @inproceedings{sohldickstein2015deep, author = {Sohl-Dickstein, Jascha and Weiss, Eric A. and Maheswaranathan,
      Niru and Ganguli, Surya}, title = {Deep Unsupervised Learning Using Nonequilibrium Thermodynamics},
      booktitle = {International Conference on Machine Learning}, year = {2015}}"""

    def step(self, t: Levels, s: Levels) -> tuple[Tensor, Tensor, Tensor]:
        """Weighted mean of the two densities."""
        beta = skipped(t, s)
        below, above = s.beta_bar, beta / (1 - beta)
        both = below + above
        return below / both / (1 - beta).sqrt(), above / both * s.signal, below * above / both


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [DDPMBayes]
