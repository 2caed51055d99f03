"""Eight small modes on a circle."""

from __future__ import annotations

import math

import torch

from harness import Denoiser, hookimpl

from ._mixture import Law, Mixture, mixture


class Ring8(Mixture):
    """Exact denoiser of 8 equal modes on the unit circle.

    Evenly spaced, deviation 0.08. Neighboring modes are not aligned with the axes: the remaining uncertainty of x_0 is
    correlated, which only a full covariance describes.
    """

    shape = (2,)

    def law(self) -> Law:
        """Components, counter-clockwise from (1, 0)."""
        angle = torch.arange(8, dtype=torch.float64) * (math.pi / 4)
        means = torch.stack([angle.cos(), angle.sin()], -1)
        return mixture(torch.ones(8), means, torch.full((8,), 0.08, dtype=torch.float64).square())


@hookimpl
def components() -> list[type[Denoiser]]:
    """The component classes of this module."""
    return [Ring8]
