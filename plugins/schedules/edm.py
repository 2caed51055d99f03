"""Noise levels of EDM."""

from __future__ import annotations

import torch
from torch import Tensor

from harness import BenchError, Positive, Schedule, hookimpl


class EDM(Schedule):
    """Noise levels evenly spaced in a power of sigma (Karras et al., 2022).

    sigma_t^(1/rho) is straight in t, from sigma_min at 1 to sigma_max at T (Karras et al., 2022, eq. 5). A_t = 1 /
    (1 + sigma_t^2): the levels of x_0 + sigma e, in the variance-preserving form. Below t = 1, where the paper has no
    level but 0, sigma_t = sigma_min t. Raises BenchError unless sigma_min < sigma_max.
    """

    reference = """
    @inproceedings{karras2022edm, author = {Karras, Tero and Aittala, Miika and Aila, Timo and Laine, Samuli}, title
      = {Elucidating the Design Space of Diffusion-Based Generative Models}, booktitle = {Advances in Neural
      Information Processing Systems}, year = {2022}}"""

    sigma_min: Positive = 0.002
    sigma_max: Positive = 80.0
    rho: Positive = 7.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sigma_min >= self.sigma_max:
            raise BenchError(f"{self!r}: sigma_min must be below sigma_max")

    def sigma(self, t: Tensor | float) -> Tensor:
        """Noise level at real times t in [0, T], float64; not by way of A_t, which rounds where it is near 1."""
        t = torch.as_tensor(t, dtype=torch.float64)
        low, high = (level ** (1 / self.rho) for level in (self.sigma_min, self.sigma_max))
        down = (self.num_train_timesteps - t.clamp(min=1)) / max(self.num_train_timesteps - 1, 1)
        return torch.pow(high + down * (low - high), self.rho) * t.clamp(max=1)

    def alpha_bar(self, t: Tensor | float) -> Tensor:
        """A_t, float64, at real times t in [0, T] of any shape."""
        return 1 / (1 + self.sigma(t) ** 2)


@hookimpl
def components() -> list[type[Schedule]]:
    """The component classes of this module."""
    return [EDM]
