"""Exact denoiser of normal data."""

from __future__ import annotations

import torch

from harness import Denoiser, NonNegative, PositiveInt, derived, hookimpl

from ._mixture import Law, Mixture, mixture


class Gaussian(Mixture):
    """Exact denoiser of isotropic normal data.

    Data N(mean, variance I) in `dim` dimensions; linear in x_t, so every linear sampler of it has a closed form.
    Variance 0 is a single point.
    """

    mean: float = 0.0
    variance: NonNegative = 1.0
    dim: PositiveInt = 1

    shape = derived(lambda self: (self.dim,))

    def law(self) -> Law:
        """A single component."""
        mean, variance = torch.tensor([self.mean, self.variance], dtype=torch.float64)
        return mixture(torch.ones(1), mean.expand(1, self.dim), variance[None])


@hookimpl
def components() -> list[type[Denoiser]]:
    """The component classes of this module."""
    return [Gaussian]
