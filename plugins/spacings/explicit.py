"""Explicit list of times."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from harness import BenchError, Schedule, Spacing, hookimpl

from ._times import Times


class Explicit(Times):
    """Times given as a list.

    The times `at`, real and strictly decreasing; the 0 at the end may be left out. They may be fewer than the steps
    asked for. Raises BenchError for a list that does not decrease, for one that has more steps, and for one that starts
    beyond T.
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
        """Times above 0."""
        times = [t for t in self.at if t > 0]
        if len(times) > steps:
            raise BenchError(f"explicit.at has {len(times)} steps, {steps} asked for")
        if times[0] > schedule.num_train_timesteps:
            raise BenchError(f"explicit.at starts at {times[0]:g}, beyond {schedule.num_train_timesteps}")
        return torch.tensor(times, dtype=torch.float64)


@hookimpl
def components() -> list[type[Spacing]]:
    """The component classes of this module."""
    return [Explicit]
