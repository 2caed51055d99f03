"""Uniform grid of DDIM."""

from __future__ import annotations

import torch
from harness.stock.grids._times import Times
from torch import Tensor

from harness import Grid, Schedule, hookimpl


class DDIMUniform(Times):
    """Times 1 + k stride with stride T // K, k < K: never visits T (Song et al., 2021, appendix D.2, "linear").

    The first step starts at T - T // K + 1 where K divides T. Elsewhere the authors' program takes more than K steps;
    here the later ones are left out.
    """

    def starts(self, schedule: Schedule, steps: int) -> Tensor:
        """The K times."""
        return 1 + torch.arange(steps) * (schedule.steps // steps)


@hookimpl
def components() -> list[type[Grid]]:
    """What this file brings."""
    return [DDIMUniform]
