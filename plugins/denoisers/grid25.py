"""Twenty-five small modes on a square grid."""

from __future__ import annotations

from typing import ClassVar

import torch
from harness.stock.denoisers._mixture import Law, Mixture, mixture

from harness import Denoiser, hookimpl


class Grid25(Mixture):
    """The exact denoiser of 25 unequal modes in the plane, on a grid from -1 to 1 in steps of 1/2, deviation 0.08.

    Mode i, row by row, weighs 5 + (7 i mod 25): the heaviest almost six times the lightest, in no order, so that a
    sampler that merges, drops or misweighs modes shows.
    """

    shape: ClassVar = (2,)

    def law(self) -> Law:
        """The components, row by row."""
        side = torch.linspace(-1, 1, 5, dtype=torch.float64)
        weights = 5 + 7 * torch.arange(25) % 25
        return mixture(weights, torch.cartesian_prod(side, side), torch.full((25,), 0.08, dtype=torch.float64).square())


@hookimpl
def components() -> list[type[Denoiser]]:
    """What this file brings."""
    return [Grid25]
