"""Eight small modes on a circle."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from harness.stock.denoisers._mixture import Law, Mixture, mixture

from harness import Denoiser, hookimpl


class Ring8(Mixture):
    """The exact denoiser of 8 equal modes, evenly on the unit circle, deviation 0.08.

    Neighbouring modes lie askew to the axes: what is left of x_0 is correlated, which only a full covariance tells.
    """

    shape: ClassVar = (2,)

    def law(self) -> Law:
        """The components, counter-clockwise from (1, 0)."""
        angle = torch.arange(8, dtype=torch.float64) * (math.pi / 4)
        means = torch.stack([angle.cos(), angle.sin()], -1)
        return mixture(torch.ones(8), means, torch.full((8,), 0.08, dtype=torch.float64).square())


@hookimpl
def components() -> list[type[Denoiser]]:
    """What this file brings."""
    return [Ring8]
