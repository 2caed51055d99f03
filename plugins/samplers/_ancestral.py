"""Samplers that add noise at every step: the mean and the least variance of x_s given x_t are theirs to say."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import torch
from harness.stock.samplers._linear import Levels, Linear, Plan

from harness import Positive, Schedule

if TYPE_CHECKING:
    from torch import Tensor


class Ancestral(Linear):
    """x_s = scale x_t + weight m + noise, one evaluation m of the network a step.

    The mean moves by gamma for each unit of x_0, so what is not known of x_0 adds gamma^2 Cov[x_0 | x_t] to the
    variance. `of` says whether m is x_0 or eps. `clip_last` = y keeps E|noise| of the last step above 0 at 2 y / 255, y
    levels of 8-bit data in [-1, 1] (Bao et al., 2022): it is for looks, and likelihoods know nothing of it.
    """

    of: ClassVar[str] = "x0"
    clip_last: Positive | None = None

    @abstractmethod
    def step(self, t: Levels, s: Levels) -> tuple[Tensor, Tensor, Tensor]:
        """(scale, weight, lambda^2) of steps from t to s, all [K]; lambda^2 is the variance where x_0 is known."""

    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """The table, one row a step."""
        levels = Levels.at(schedule, times)
        t, s = levels.starts(), levels.ends()
        scale, weight, added = self.step(t, s)
        gamma = weight if self.of == "x0" else -weight / t.ratio
        return Plan(self.of, times, scale, weight[:, None], added, gamma * ("variance" not in self.ignores))

    def plan(self, schedule: Schedule, times: Tensor, last_noise: bool = False) -> Plan:
        """The table as it is run."""
        plan = super().plan(schedule, times, last_noise)
        if self.clip_last is None:
            return plan
        most = torch.full_like(plan.scale, torch.inf)
        most[-2:-1] = math.pi / 2 * (2 / 255 * self.clip_last) ** 2
        return plan._replace(most=most)

    def transition(self, schedule: Schedule, times: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The table, in terms of x_0."""
        plan, t = self.table(schedule, times), Levels.at(schedule, times).starts()
        weight = plan.weights[:, 0]
        if self.of == "x0":
            return plan.scale, weight, plan.added, plan.gamma.square()
        return plan.scale + weight / t.noise, -weight / t.ratio, plan.added, plan.gamma.square()


def skipped(t: Levels, s: Levels) -> Tensor:
    """beta_{t|s} = 1 - A_t / A_s, the noise that the forward process adds from s to t."""
    return 1 - t.alpha_bar / s.alpha_bar
