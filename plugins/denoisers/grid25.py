"""Twenty-five small modes on a square grid."""

from __future__ import annotations

import torch

from harness import Denoiser, hookimpl

from ._mixture import Law, Mixture, mixture


class Grid25(Mixture):
    """Exact denoiser of 25 unequal modes on a square grid.

    Modes in the plane from -1 to 1 in steps of 1/2, deviation 0.08. Mode i, row by row, weighs 5 + (7 i mod 25): the
    heaviest almost six times the lightest, in no order, so that a sampler that merges, drops or misweighs modes shows.
    """

    shape = (2,)

    def law(self) -> Law:
        """Components, row by row."""
        side = torch.linspace(-1, 1, 5, dtype=torch.float64)
        weights = 5 + 7 * torch.arange(25) % 25
        return mixture(weights, torch.cartesian_prod(side, side), torch.full((25,), 0.08, dtype=torch.float64).square())


@hookimpl
def components() -> list[type[Denoiser]]:
    """The component classes of this module."""
    return [Grid25]
