"""Cosine schedule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.stock.schedules._curve import Curve

from harness import Schedule, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

OFFSET = 0.008


class Cosine(Curve):
    """A_t = f(t / T) / f(0), f(u) = cos^2(pi/2 (u + 0.008) / 1.008) (Nichol and Dhariwal, 2021, eq. 17).

    Their clipping of beta_t at 0.999 touches the last step alone, whatever T; within it A_t is log-linear.
    """

    def curve(self, remaining: Tensor) -> Tensor:
        """A at the share of the time that remains."""
        end = math.pi / 2 / (1 + OFFSET)
        return ((end * remaining).sin() / math.sin(end)) ** 2


@hookimpl
def components() -> list[type[Schedule]]:
    """What this file brings."""
    return [Cosine]
