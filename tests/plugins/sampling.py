"""What the tests of samplers share: grids, a mixture that is no linear problem, and plans followed on normal data by hand."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

import harness
from harness import Denoiser, DiffusionModel, Schedule


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


class Straight(Schedule):
    """sigma_t = t, whose flow for normal data is solved in one line."""

    def alpha_bar(self, t: Tensor) -> Tensor:
        return 1 / (1 + t * t)


class TwoPoints(Denoiser):
    """Equal shares of N(-1, 0.01) and N(1, 0.01) in every coordinate of the first axis, N(0, 0.25) in the others."""

    shape: tuple[int, ...] = (3,)
    schedule: Schedule = harness.component("schedule", "linear")

    def load(self, device: str) -> None:
        return None

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        kept = self.schedule.alpha_bar(t).to(x)[:, None]
        near, far = 0.01 * kept + 1 - kept, 0.25 * kept + 1 - kept
        first = x[:, :1]
        pull = torch.tanh(first * kept.sqrt() / near)  # E[sign of x_0's center | x_t]
        return torch.cat([(first - kept.sqrt() * pull) / near, x[:, 1:] / far], 1) * (1 - kept).sqrt()


class Recorder(DiffusionModel):
    """Keeps every point at which the network is asked, and when."""

    def __init__(self, denoiser: Denoiser) -> None:
        super().__init__(denoiser, denoiser.load("cpu"))
        self.points: list[Tensor] = []
        self.times: list[float] = []

    def x0_and_eps(self, x: Tensor, t: Tensor | float) -> tuple[Tensor, Tensor]:
        self.points.append(x.clone())
        self.times.append(float(t))
        return super().x0_and_eps(x, t)


def even(steps: int, last: int = 1000) -> Tensor:
    """Nichol and Dhariwal's trajectory and 0."""
    return double(*(round(1 + (last - 1) / (steps - 1) * k) for k in reversed(range(steps))), 0)


def down(steps: int, high: float = 80.0, low: float = 1e-5) -> Tensor:
    """Times even in their 7th root, and 0 (Karras et al., 2022)."""
    roots = torch.linspace(high ** (1 / 7), low ** (1 / 7), steps, dtype=torch.float64)
    return torch.cat([roots**7, torch.zeros(1, dtype=torch.float64)])


SAMPLERS = harness.components("sampler")
GAUSSIAN = harness.components("denoiser")["gaussian"]


def sampler(name: str, **fields: Any) -> Any:
    return SAMPLERS[name](**fields)


def gaussian(**fields: Any) -> Recorder:
    """Normal data, their exact denoiser."""
    return Recorder(GAUSSIAN(schedule=TwoPoints.schedule, **fields))


def law(plan: Any, schedule: Schedule, v: float, *, exact: bool = False) -> Tensor:
    """x_0 on data N(0, v) as a linear function of x_T and of every row's standard draw: its coefficients [1 + rows].

    The network is exact, so x_0hat = sqrt(A) v x / (A v + B) and eps = sqrt(B) x / (A v + B). `exact` gives the noise
    the exact Cov[x_0 | x_t] = v B / (A v + B), otherwise 0.
    """
    x = torch.zeros(len(plan.scale) + 1, dtype=torch.float64)
    x[0] = 1
    answers: list[Tensor] = []
    for k, kept in enumerate(schedule.alpha_bar(plan.times[:-1])):
        total = kept * v + 1 - kept
        answers.insert(0, x * (kept.sqrt() * v if plan.of == "x0" else (1 - kept).sqrt()) / total)
        c = v * (1 - kept) / total if exact else 0.0
        mixed = [weight * answer for weight, answer in zip(plan.weights[k], answers, strict=False)]
        x = plan.scale[k] * x + torch.stack(mixed).sum(0)
        x[k + 1] += (plan.added[k] + plan.gamma[k] ** 2 * c).sqrt()
    return x


def flow(schedule: Schedule, start: float, v: float) -> float:
    """x_0 / x_T of the exact probability flow on data N(0, v): every deviation is kept in proportion."""
    kept = float(schedule.alpha_bar(double(start)))
    return math.sqrt(v / (kept * v + 1 - kept))
