"""Leading grid."""

from __future__ import annotations

from typing import Annotated

import torch
from harness.stock.grids._times import Times
from torch import Tensor

from harness import BenchError, Grid, Only, Schedule, hookimpl


class Leading(Times):
    """The first whole time of each of K equal stretches (Lin et al., 2024, table 2), moved up by `offset`.

    What `leading` and `steps_offset` mean to diffusers; its time step i is our time i + 1. T is not visited. Raises
    BenchError where the offset leads beyond T.
    """

    offset: Annotated[int, Only(least=0)] = 0

    def starts(self, schedule: Schedule, steps: int) -> Tensor:
        """The K times."""
        times = 1 + self.offset + torch.arange(steps) * (schedule.steps // steps)
        if times[-1] > schedule.steps:
            raise BenchError(f"{self!r}: {steps} steps would start at {int(times[-1])}, beyond {schedule.steps}")
        return times


@hookimpl
def components() -> list[type[Grid]]:
    """What this file brings."""
    return [Leading]
