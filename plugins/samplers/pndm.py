"""PNDM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from harness.stock.samplers._linear import Levels, Linear, Plan, deterministic

from harness import Sampler, Schedule, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

RULES = (
    (1, 0, 0, 0, 0),
    (1 / 2, -1 / 2, 0, 0, 0),
    (3 / 2, 0, -1 / 2, 0, 0),
    (23 / 12, -16 / 12, 0, 5 / 12, 0),
    (55 / 24, -59 / 24, 37 / 24, 0, -9 / 24),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24, 0),
)
"""Weights of the answers in each row, newest first: Euler, the mean of both slopes from Euler's point, Adams-Bashforth
of 2 to 4 answers. The answer at Euler's point is left out of the later rules; the last rule stands for all the rest."""


class PNDM(Linear):
    """Linear multistep in dz = eps dr (Liu et al., 2022, "PLMS"): Adams-Bashforth weights for eps, r treated as known.

    The first step is Heun's, so K steps take K + 1 evaluations. The weights are those of even steps, and the mean of
    eps over time stands for its mean over r: second order on smooth grids, however many answers are used.
    """

    ignores: ClassVar[Sequence[str]] = ("variance",)

    @property
    def order(self) -> float | None:
        """2."""
        return 2

    def steps_for(self, nfe: int) -> int:
        """Of K + 1 evaluations; a single step takes one."""
        return max(nfe - 1, 1)

    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """The table: two rows for the first step, one for each other."""
        levels = Levels.at(schedule, times)
        start, end = levels.starts(), levels.ends()
        steps = [0, *range(len(times) - 1)] if len(times) > 2 else [0]
        rules = times.new_tensor([RULES[min(row, 5)] for row in range(len(steps))])
        scale = (end.signal / start.signal)[steps]
        scale[1:2] = 1
        weights = (end.signal * (end.ratio - start.ratio))[steps, None] * rules
        visited = times[[0, *(step + 1 for step in steps)]]
        return deterministic("eps", visited, scale, weights)


@hookimpl
def components() -> list[type[Sampler]]:
    """What this file brings."""
    return [PNDM]
