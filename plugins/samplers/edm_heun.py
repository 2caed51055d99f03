"""The sampler of EDM."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import torch

from harness import NonNegative, Positive, Sampler, Schedule, derived, hookimpl

from ._heun import heun
from ._inverse import time_of
from ._linear import Levels, Linear, Plan

if TYPE_CHECKING:
    from torch import Tensor


class EDMHeun(Linear):
    """Heun's method with noise added between steps (Karras et al., 2022).

    Algorithm 2 of the publication, in sigma = sqrt(B_t / A_t). A step of K from sigma in [s_tmin, s_tmax] starts from
    (1 + g) sigma, g = min(s_churn / K, sqrt(2) - 1), reached by noise s_noise times that of the forward process; never
    beyond its last time, so the first step has none. The last step, to 0, is Euler's, which ends at the prediction of
    x_0. The spacing is chosen separately: that of the publication is `karras`.
    """

    reference = """
    @inproceedings{karras2022edm, author = {Karras, Tero and Aittala, Miika and Aila, Timo and Laine, Samuli}, title
      = {Elucidating the Design Space of Diffusion-Based Generative Models}, booktitle = {Advances in Neural
      Information Processing Systems}, year = {2022}}"""

    unused_kinds: ClassVar[Sequence[str]] = ("variance",)
    s_churn: NonNegative = 0.0
    s_tmin: NonNegative = 0.0
    s_tmax: Positive | None = None
    s_noise: Positive = 1.0

    order = derived(lambda self: None if self.s_churn else 2)

    def steps_for_nfe(self, nfe: int) -> int:
        """Number of steps K for 2 K - 1 evaluations."""
        return (nfe + 1) // 2

    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """Table with two rows per step, one for the last."""
        levels = Levels.at(schedule, times)
        start = levels.starts()
        if self.s_churn:
            growth = 1 + min(self.s_churn / len(start.times), math.sqrt(2) - 1)
            churned = (start.ratio >= self.s_tmin) & (start.ratio <= (self.s_tmax or math.inf))
            later = time_of(schedule, growth * start.ratio)
            start = Levels.at(schedule, torch.where(churned, later, start.times))
        return heun(start, levels.ends(), self.s_noise)


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [EDMHeun]
