"""Terms of the variational bound, in nats per dimension."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from harness import Metric, Skip

if TYPE_CHECKING:
    from harness import DiffusionModel, NoiseSource, Sampler


class Bounded(Metric):
    """A metric computed from the bound; None where the bound is."""

    higher_is_better: ClassVar[bool | None] = False
    unit: ClassVar[str | None] = "nats/dim"

    def __call__(
        self,
        reference: Tensor,
        model: DiffusionModel,
        sampler: Sampler,
        covariance: Callable[..., Any] | None,
        times: Tensor,
        noise: NoiseSource,
    ) -> float | None:
        found = bound(reference, model, sampler, covariance, times, noise)
        return None if found is None else self.of(found, reference, model, noise)

    @abstractmethod
    def of(self, found: Bound, reference: Tensor, model: DiffusionModel, noise: NoiseSource) -> float | None:
        """Value of the metric."""


class Bound(NamedTuple):
    """Terms of the bound, except for the decoder of the last step."""

    prior: float
    """KL(x_T of data || standard normal)."""
    steps: Tensor
    """Divergence of every step but the last, [K - 1], float64."""
    guess: Tensor
    """Prediction x_0hat at the last time above 0 [m, *shape]."""
    missed: Tensor
    """Squared error E[(x_0 - x_0hat)^2 | x_t] there [m, d], or its square for drawn x_0."""


class Step(NamedTuple):
    """A step from t to s: x_s is scale x_t + gamma x_0hat + noise, of variance added + share Cov[x_0 | x_t]."""

    scale: float
    gamma: float
    added: float
    share: float

    def encoded(self, t: float, s: float) -> float:
        """Variance of the encoder's x_s given x_t and x_0, from B_t and B_s; 0 where it is only rounding."""
        left = s - self.scale**2 * t
        return left if left > 1e-9 * s else 0.0


def bound(
    x0: Tensor,
    model: DiffusionModel,
    sampler: Sampler,
    covariance: Callable[..., Any] | None,
    times: Tensor,
    noise: NoiseSource,
) -> Bound | None:
    """Mean over data x_0 [m, *shape]; None for a sampler whose x_s given x_t is not normal.

    Raises Skip where the bound is infinite: where the encoder's x_s has no noise, as that of DDIM.
    """
    found = sampler.transition(model.schedule, times)
    if found is None:
        return None
    levels: list[float] = (1 - model.schedule.alpha_bar(times)).tolist()
    rows = [Step(*row) for row in zip(*(part.tolist() for part in found), strict=True)]
    left = [step.encoded(*pair) for step, pair in zip(rows, pairwise(levels), strict=True)]
    if not all(left[:-1]):
        raise Skip(f"infinite: under {sampler!r} x_t and x_0 determine x_s exactly, so its likelihood has no bound")
    steps = []
    for k, step in enumerate(rows):
        t, s = float(times[k]), float(times[k + 1])
        x = (1 - levels[k]) ** 0.5 * x0 + levels[k] ** 0.5 * noise(f"elbo/{k}", x0)
        guess, eps = model.x0_and_eps(x, t)
        missed = model.squared_error(x0 - guess, x, t)
        if s:
            c = covariance(x, t, s, eps) if covariance is not None and step.share else 0.0
            steps.append(_divergence(step, left[k], missed, c))
    prior = ((1 - levels[0]) * (_power(model, x0) - 1) - math.log(levels[0])) / 2
    return Bound(prior, torch.tensor(steps, dtype=torch.float64), guess, _diagonal(missed))


def _power(model: DiffusionModel, x0: Tensor) -> float:
    """Mean of E x_0^2 over the dimensions: exact where the moments of the data are known."""
    known = model.moments()
    if known is None:
        return float(x0.double().square().mean())
    mean, covariance = known
    return float(covariance.diagonal().mean() + mean.square().mean())


def _diagonal(square: Tensor) -> Tensor:
    return square.diagonal(dim1=1, dim2=2) if square.ndim == 3 else square


def _divergence(step: Step, left: float, missed: Tensor, c: Any) -> float:
    """Divergence E KL(encoder's x_s given x_t and x_0 || sampler's x_s given x_t) / d, with means gamma apart.

    Both are normal.
    """
    d = missed.shape[1]
    if isinstance(c, Tensor) and c.ndim == 3 and c.shape[1:] == (d, d):
        eye = torch.eye(d).to(missed)
        variance, wanted = step.added * eye + step.share * c.double(), left * eye + step.gamma**2 * missed
        lower = torch.linalg.cholesky(variance)
        ratio = torch.cholesky_solve(wanted, lower).diagonal(dim1=1, dim2=2)
        logs = 2 * lower.diagonal(dim1=1, dim2=2).log()
    else:
        c = c.double().flatten(1) if isinstance(c, Tensor) and c.ndim else c
        variance = (step.added + step.share * torch.as_tensor(c, dtype=torch.float64)).to(missed.device)
        ratio, logs = (left + step.gamma**2 * _diagonal(missed)) / variance, variance.log()
    return float((ratio.mean() + logs.mean() - 1 - math.log(left)) / 2)
