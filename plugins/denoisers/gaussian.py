"""The exact denoiser of normal data."""

from __future__ import annotations

import torch
from harness.stock.denoisers._mixture import Law, Mixture, mixture

from harness import Count, Denoiser, NonNegative, hookimpl


class Gaussian(Mixture):
    """The exact denoiser of data N(mean, variance I) in `dim` dimensions: linear in x_t.

    Every linear sampler of it can be solved by hand. Variance 0 is a single point.
    """

    mean: float = 0.0
    variance: NonNegative = 1.0
    dim: Count = 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a sample: (dim,)."""
        return (self.dim,)

    def law(self) -> Law:
        """A single component."""
        mean, variance = torch.tensor([self.mean, self.variance], dtype=torch.float64)
        return mixture(torch.ones(1), mean.expand(1, self.dim), variance[None])


@hookimpl
def components() -> list[type[Denoiser]]:
    """What this file brings."""
    return [Gaussian]
