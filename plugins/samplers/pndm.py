"""PNDM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from harness import Sampler, Schedule, hookimpl

from ._linear import Levels, Linear, Plan, deterministic

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
"""Weights of the outputs in each row, newest first.

Euler, the mean of both slopes from Euler's point, Adams-Bashforth of 2 to 4 outputs. The output at Euler's point is
left out of the later rules; the last rule serves all remaining steps.
"""


class PNDM(Linear):
    """Linear multistep solver with fixed weights, PLMS (Liu et al., 2022).

    Adams-Bashforth weights for eps in dz = eps dr, r treated as known. The first step is Heun's, so K steps take K + 1
    evaluations. The weights are those of even steps, and the mean of eps over time stands for its mean over r: second
    order with smooth spacings, however many outputs are used.
    """

    reference = """
    @inproceedings{liu2022pndm, author = {Liu, Luping and Ren, Yi and Lin, Zhijie and Zhao, Zhou}, title = {Pseudo
      Numerical Methods for Diffusion Models on Manifolds}, booktitle = {International Conference on Learning
      Representations}, year = {2022}}"""

    unused_kinds: ClassVar[Sequence[str]] = ("variance",)

    order = 2

    def steps_for_nfe(self, nfe: int) -> int:
        """Number of steps K for K + 1 evaluations; a single step takes one."""
        return max(nfe - 1, 1)

    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """Table with two rows for the first step, one for each other."""
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
    """The component classes of this module."""
    return [PNDM]
