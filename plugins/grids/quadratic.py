"""Quadratic grid of DDIM."""

from __future__ import annotations

import numpy
import torch
from harness.stock.grids._times import Times
from torch import Tensor

from harness import Grid, Schedule, hookimpl


class Quadratic(Times):
    """1 + squares of K even numbers from 0 to sqrt(0.8 T), cut to whole ones (Song et al., 2021, appendix D.2).

    Close to the data the times are dense, and equal ones are merged: T = 1000 leaves 49 of 50. The first step starts
    at about 0.8 T.
    """

    def starts(self, schedule: Schedule, steps: int) -> Tensor:
        """The K times, some of them equal."""
        # In numpy as the authors did it: a square that should be whole may fall below, and these times are published.
        roots = numpy.linspace(0, numpy.sqrt(0.8 * schedule.steps), steps)
        return 1 + torch.from_numpy(roots**2).floor()


@hookimpl
def components() -> list[type[Grid]]:
    """What this file brings."""
    return [Quadratic]
