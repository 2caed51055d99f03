"""The terms of the variational bound, in nats per dimension."""

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
    from harness import Noise, Ready, Sampler


class Bounded(Metric):
    """A metric that is made of the bound. None where that is."""

    better: ClassVar[str] = "lower"
    unit: ClassVar[str | None] = "nats/dim"

    def __call__(
        self,
        reference: Tensor,
        denoiser: Ready,
        sampler: Sampler,
        covariance: Callable[..., Any] | None,
        times: Tensor,
        noise: Noise,
    ) -> float | None:
        found = bound(reference, denoiser, sampler, covariance, times, noise)
        return None if found is None else self.of(found, reference, denoiser, noise)

    @abstractmethod
    def of(self, found: Bound, reference: Tensor, denoiser: Ready, noise: Noise) -> float | None:
        """The metric's own number."""


class Bound(NamedTuple):
    """What the bound is made of, but for the decoder of the last step."""

    prior: float
    """KL(x_T of data || standard normal)."""
    steps: Tensor
    """[K - 1], the divergence of every step but the last, float64."""
    guess: Tensor
    """x_0hat at the last time above 0 [m, *shape]."""
    missed: Tensor
    """E[(x_0 - x_0hat)^2 | x_t] there [m, d], or its square drawn."""


class Step(NamedTuple):
    """From t to s: x_s is scale x_t + gamma x_0hat + noise, of variance added + share Cov[x_0 | x_t]."""

    scale: float
    gamma: float
    added: float
    share: float

    def encoded(self, t: float, s: float) -> float:
        """The variance that the encoder's x_s given x_t and x_0 has left, from B_t and B_s; 0 for mere rounding."""
        left = s - self.scale**2 * t
        return left if left > 1e-9 * s else 0.0


def bound(
    x0: Tensor, denoiser: Ready, sampler: Sampler, covariance: Callable[..., Any] | None, times: Tensor, noise: Noise
) -> Bound | None:
    """The mean over data x_0 [m, *shape]; None for a sampler whose x_s given x_t is not normal.

    Raises Skip where the bound is infinite: where the encoder leaves x_s no noise, as that of DDIM.
    """
    found = sampler.transition(denoiser.schedule, times)
    if found is None:
        return None
    levels: list[float] = (1 - denoiser.schedule.alpha_bar(times)).tolist()
    rows = [Step(*row) for row in zip(*(part.tolist() for part in found), strict=True)]
    left = [step.encoded(*pair) for step, pair in zip(rows, pairwise(levels), strict=True)]
    if not all(left[:-1]):
        raise Skip(f"infinite: under {sampler!r} x_t and x_0 leave no doubt of x_s, so its likelihood has no bound")
    steps = []
    for k, step in enumerate(rows):
        t, s = float(times[k]), float(times[k + 1])
        x = (1 - levels[k]) ** 0.5 * x0 + levels[k] ** 0.5 * noise(f"elbo/{k}", x0)
        guess, eps = denoiser.both(x, t)
        missed = denoiser.missed(x0 - guess, x, t)
        if s:
            c = covariance(x, t, s, eps) if covariance is not None and step.share else 0.0
            steps.append(_divergence(step, left[k], missed, c))
    prior = ((1 - levels[0]) * (_power(denoiser, x0) - 1) - math.log(levels[0])) / 2
    return Bound(prior, torch.tensor(steps, dtype=torch.float64), guess, _diagonal(missed))


def _power(denoiser: Ready, x0: Tensor) -> float:
    """E x_0^2, the mean over the dimensions: exact where the moments of data are known."""
    known = denoiser.moments()
    if known is None:
        return float(x0.double().square().mean())
    mean, covariance = known
    return float(covariance.diagonal().mean() + mean.square().mean())


def _diagonal(square: Tensor) -> Tensor:
    return square.diagonal(dim1=1, dim2=2) if square.ndim == 3 else square


def _divergence(step: Step, left: float, missed: Tensor, c: Any) -> float:
    """E KL(encoder's x_s given x_t and x_0 || sampler's x_s given x_t) / d; both normal, their means gamma apart."""
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
