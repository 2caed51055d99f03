"""Grid written out."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from harness.stock.grids._times import Times
from torch import Tensor

from harness import BenchError, Grid, Schedule, hookimpl


class Explicit(Times):
    """The times `at`, real and strictly decreasing; the 0 at the end may be left out.

    They may be fewer than the steps asked for. Raises BenchError for a list that does not decrease, for one that has
    more steps, and for one that starts beyond T.
    """

    at: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.at or not math.isfinite(self.at[0]) or self.at[0] == 0 or self.at[-1] < 0:
            raise BenchError("explicit.at: expected times above 0")
        for before, after in pairwise(self.at):
            if not after < before:
                raise BenchError(f"explicit.at: {after:g} does not lie below {before:g}")

    def starts(self, schedule: Schedule, steps: int) -> Tensor:
        """The times above 0."""
        times = [t for t in self.at if t > 0]
        if len(times) > steps:
            raise BenchError(f"explicit.at has {len(times)} steps, {steps} asked for")
        if times[0] > schedule.steps:
            raise BenchError(f"explicit.at starts at {times[0]:g}, beyond {schedule.steps}")
        return torch.tensor(times, dtype=torch.float64)


@hookimpl
def components() -> list[type[Grid]]:
    """What this file brings."""
    return [Explicit]
