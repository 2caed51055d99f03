"""Samplers that are linear recursions: a table computed once, and the one loop that runs them all."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from harness import BenchError, DiffusionModel, NoiseSource, Sampler, Schedule

if TYPE_CHECKING:
    from torch import Tensor


class Plan(NamedTuple):
    """A row for each network evaluation: x <- scale x + sum_j weights[j] m[j] + noise, all float64.

    Row k evaluates the network at times[k] and leads to times[k + 1]. m are its outputs, newest first: predictions of
    x_0 or of eps, as `of` says. The noise has variance added + gamma^2 c, where c = Cov[x_0 | x], and no more than
    `most`.
    """

    of: str
    times: Tensor
    """Times [n + 1], the last is 0; two evaluations may share a time."""
    scale: Tensor
    """[n]"""
    weights: Tensor
    """[n, outputs kept]"""
    added: Tensor
    """[n]"""
    gamma: Tensor
    """[n]"""
    most: Tensor | float = torch.inf
    """[n], or one for all."""


class Levels(NamedTuple):
    """Shares of data and noise at some times: A_t and B_t = 1 - A_t, float64."""

    times: Tensor
    alpha_bar: Tensor
    beta_bar: Tensor

    @classmethod
    def at(cls, schedule: Schedule, times: Tensor) -> Levels:
        """Levels of a schedule at these times."""
        alpha_bar = schedule.alpha_bar(times)
        return cls(times, alpha_bar, 1 - alpha_bar)

    @property
    def signal(self) -> Tensor:
        """Coefficient of x_0, sqrt(A_t)."""
        return self.alpha_bar.sqrt()

    @property
    def noise(self) -> Tensor:
        """Coefficient of eps, sqrt(B_t)."""
        return self.beta_bar.sqrt()

    @property
    def ratio(self) -> Tensor:
        """Ratio r = sqrt(B_t / A_t), the variable in which the probability flow is dz = eps dr, z = x / sqrt(A_t)."""
        return (self.beta_bar / self.alpha_bar).sqrt()

    @property
    def log_snr(self) -> Tensor:
        """Value of -log r, half the logarithm of the signal-to-noise ratio; infinite at 0."""
        return -self.ratio.log()

    def starts(self) -> Levels:
        """Levels at the start of each step."""
        return Levels(*(part[:-1] for part in self))

    def ends(self) -> Levels:
        """Levels at the end of each step."""
        return Levels(*(part[1:] for part in self))


class Linear(Sampler):
    """A sampler whose every point is a linear function of earlier points, of the network's outputs and of noise."""

    @abstractmethod
    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """Table for times [K + 1] that decrease to 0, with all the noise of its steps, the last one included."""

    def plan(self, schedule: Schedule, times: Tensor, noise_last_step: bool = False) -> Plan:
        """Table as it is run: without noise on the jump to 0, unless `noise_last_step` is set."""
        plan = self.table(schedule, times)
        if not bool(torch.isfinite(plan.weights).all() and torch.isfinite(plan.scale).all()):
            raise BenchError(
                f"{self!r} divides by A_t, which is 0 at t = {float(times[0]):g} by {schedule!r}: "
                "use ddim, which is ddpm at eta = 1, or times that begin below T (spacing leading)"
            )
        noisy = (plan.times[1:] > 0) | noise_last_step
        return plan._replace(added=plan.added * noisy, gamma=plan.gamma * noisy)

    def sample(
        self,
        model: DiffusionModel,
        covariance: Callable[..., Any] | None,
        x: Tensor,
        times: Tensor,
        noise: NoiseSource,
        noise_last_step: bool = False,
    ) -> Tensor:
        """Samples x_0 from x_T. Raises BenchError for times that do not decrease strictly to 0."""
        if times[-1] != 0 or not bool((times.diff() < 0).all()):
            shown = ", ".join(f"{t:g}" for t in times.tolist())
            raise BenchError(f"the times of a sampler must fall to 0, got {shown}")
        return run(self.plan(model.schedule, times, noise_last_step), model, covariance, x, noise)


def deterministic(of: str, times: Tensor, scale: Tensor, weights: Tensor) -> Plan:
    """A plan without noise."""
    return Plan(of, times, scale, weights, torch.zeros_like(scale), torch.zeros_like(scale))


def run(
    plan: Plan, model: DiffusionModel, covariance: Callable[..., Any] | None, x: Tensor, noise: NoiseSource
) -> Tensor:
    """Samples x_0 from x_T [b, *shape], in its type; the x given is not modified."""
    answers: deque[Tensor] = deque(maxlen=plan.weights.shape[1])
    x = x.clone()
    parts = (plan.times[:-1], plan.times[1:], *plan[2:6], torch.as_tensor(plan.most).expand_as(plan.scale))
    for k, (t, s, scale, weights, added, gamma, most) in enumerate(zip(*(p.tolist() for p in parts), strict=True)):
        x0, eps = model.x0_and_eps(x, t)
        answer = x0 if plan.of == "x0" else eps
        answers.appendleft(answer.clone() if _shared(answer, x) else answer)
        c = covariance(x, t, s, eps) if covariance is not None and gamma else 0.0
        x.mul_(scale)
        for weight, answer in zip(weights, answers, strict=False):
            if weight:
                x.add_(answer, alpha=weight)
        if added or (gamma and covariance is not None):
            _disturb(x, noise(k, x), added, gamma * gamma, c, most)
    return x


def _shared(answer: Tensor, x: Tensor) -> bool:
    """True if a network returned (a part of) the tensor it was given, which is about to be overwritten."""
    return answer.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()


def _disturb(x: Tensor, z: Tensor, added: float, share: float, c: Any, most: float) -> None:
    """Adds normal noise of variance added + share c, at most `most`, in place, from standard draws z."""
    if not isinstance(c, torch.Tensor):
        x.add_(z, alpha=min(max(added + share * c, 0.0), most) ** 0.5)
    elif c.ndim == 3 and c.shape != x.shape and c.shape[-1] == c.shape[-2] == x[0].numel():
        variances, axes = torch.linalg.eigh(c)
        deviations = (added + share * variances).clamp(0, most).sqrt()
        # Effectively one sample at a time: a product over the batch would round differently for other batch sizes.
        root = (axes * deviations[:, None]) @ axes.mT
        x.add_((root @ z.to(c).flatten(1)[..., None]).view_as(z))
    else:
        x.addcmul_(z, (added + share * c).clamp(0, most).sqrt().to(x))
