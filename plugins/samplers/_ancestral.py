"""Samplers that add noise at every step, given the mean and the least variance of x_s given x_t."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Positive, Schedule

from ._linear import Levels, Linear, Plan

if TYPE_CHECKING:
    from torch import Tensor


class Ancestral(Linear):
    """Step x_s = scale x_t + weight m + noise, with one network evaluation m per step.

    The mean moves by gamma for each unit of x_0, so the uncertainty of x_0 adds gamma^2 Cov[x_0 | x_t] to the variance.
    `of` says whether m is x_0 or eps. `clip_last` = y limits E|noise| of the last step above 0 to 2 y / 255, y levels
    of 8-bit data in [-1, 1] (Bao et al., 2022): it affects samples only, likelihoods ignore it.
    """

    of: ClassVar[str] = "x0"
    clip_last: Positive | None = None

    @abstractmethod
    def step(self, t: Levels, s: Levels) -> tuple[Tensor, Tensor, Tensor]:
        """Coefficients (scale, weight, lambda^2) of steps from t to s, all [K].

        lambda^2 is the variance where x_0 is known.
        """

    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """Table with one row per step."""
        levels = Levels.at(schedule, times)
        t, s = levels.starts(), levels.ends()
        scale, weight, added = self.step(t, s)
        gamma = weight if self.of == "x0" else -weight / t.ratio
        return Plan(self.of, times, scale, weight[:, None], added, gamma * ("variance" not in self.unused_kinds))

    def plan(self, schedule: Schedule, times: Tensor, noise_last_step: bool = False) -> Plan:
        """Table as it is run."""
        plan = super().plan(schedule, times, noise_last_step)
        if self.clip_last is None:
            return plan
        most = torch.full_like(plan.scale, torch.inf)
        most[-2:-1] = math.pi / 2 * (2 / 255 * self.clip_last) ** 2
        return plan._replace(most=most)

    def transition(self, schedule: Schedule, times: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Table in terms of x_0."""
        plan, t = self.table(schedule, times), Levels.at(schedule, times).starts()
        weight = plan.weights[:, 0]
        if self.of == "x0":
            return plan.scale, weight, plan.added, plan.gamma.square()
        return plan.scale + weight / t.noise, -weight / t.ratio, plan.added, plan.gamma.square()


def skipped(t: Levels, s: Levels) -> Tensor:
    """Noise that the forward process adds from s to t: beta_{t|s} = 1 - A_t / A_s."""
    return 1 - t.alpha_bar / s.alpha_bar
