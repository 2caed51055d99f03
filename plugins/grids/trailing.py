"""Trailing grid."""

from __future__ import annotations

import torch
from harness.stock.grids._times import Times
from torch import Tensor

from harness import Grid, Schedule, hookimpl


class Trailing(Times):
    """The last whole time of each of K equal stretches: T k / K, rounded, halves to even (Lin et al., 2024, table 2).

    What `trailing` means to diffusers, whose time step i is our time i + 1. T is visited, 1 is not unless K = T.
    """

    def starts(self, schedule: Schedule, steps: int) -> Tensor:
        """The K times."""
        return (schedule.steps * torch.arange(1, steps + 1, dtype=torch.float64) / steps).round()


@hookimpl
def components() -> list[type[Grid]]:
    """What this file brings."""
    return [Trailing]
