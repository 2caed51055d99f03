"""A denoiser: a model of noisy data."""

import torch
from torch import Generator, Tensor

from harness import Denoiser, Positive, hookimpl


class Normal(Denoiser):
    """The exact denoiser of normal data in the plane."""

    scale: Positive = 1.0

    shape = (2,)

    def load(self, device: str) -> Tensor:
        """The first argument of `predict` and `sample`: here the variance, elsewhere a network."""
        return torch.tensor(self.scale**2, device=device)

    def predict(self, net: Tensor, x: Tensor, t: Tensor, /) -> Tensor:
        """The noise expected in x [n, *shape] at times t [n]."""
        signal = self.schedule.alpha_bar(t).to(x)[:, None]
        return (1 - signal).sqrt() * x / (signal * net + 1 - signal)

    def sample(self, net: Tensor, n: int, generator: Generator) -> Tensor:
        """Data [n, *shape], to compare samples with."""
        return self.scale * torch.randn(n, *self.shape, generator=generator)


@hookimpl
def components() -> list[type[Denoiser]]:
    """The component classes of this module."""
    return [Normal]
