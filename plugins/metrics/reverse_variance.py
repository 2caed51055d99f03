"""Variance of a sampler's steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from harness import DiffusionModel, NoiseSource, Sampler


class ReverseVariance(Metric):
    """Variance of x_s given x_t in a sampler's steps.

    The mean over x_t, over elements and over all steps but the last of sigma^2 = lambda^2 + gamma^2 c, with the
    estimate c of Cov[x_0 | x_t] that the sampler uses. reference [m, *shape], model, sampler, covariance, times, noise
    -> scalar, at least 0. It describes: no value of it is better. Figures show it step by step. None where x_s given
    x_t is not normal, as with several network evaluations per step.
    """

    higher_is_better: ClassVar[bool | None] = None

    def __call__(
        self,
        reference: Tensor,
        model: DiffusionModel,
        sampler: Sampler,
        covariance: Callable[..., Any] | None,
        times: Tensor,
        noise: NoiseSource,
    ) -> float | None:
        found = self.curve(reference, model, sampler, covariance, times, noise)
        return None if found is None else float(found[1].mean())

    def curve(
        self,
        reference: Tensor,
        model: DiffusionModel,
        sampler: Sampler,
        covariance: Callable[..., Any] | None,
        times: Tensor,
        noise: NoiseSource,
    ) -> Tensor | None:
        """Start time and variance of each step [2, K - 1]."""
        steps = sampler.transition(model.schedule, times)
        if steps is None or len(times) < 3:
            return None
        estimates = _estimates(reference, model, covariance, times, noise)
        _, _, added, share = (part[:-1].cpu() for part in steps)
        c = torch.tensor(list(estimates), dtype=torch.float64)
        return torch.stack([times[:-2].cpu(), added + share * c])


def _estimates(
    x0: Tensor, model: DiffusionModel, covariance: Callable[..., Any] | None, times: Tensor, noise: NoiseSource
) -> Iterator[float]:
    """Yield the estimate at every step but the last, as a mean over x_t and elements; 0 without an estimate."""
    kept = model.schedule.alpha_bar(times).tolist()
    for k, (t, s) in enumerate(pairwise(times.tolist()[:-1])):
        if covariance is None:
            yield 0.0
            continue
        x = kept[k] ** 0.5 * x0 + (1 - kept[k]) ** 0.5 * noise(f"elbo/{k}", x0)
        c = covariance(x, t, s, model.x0_and_eps(x, t)[1])
        matrices = isinstance(c, Tensor) and c.ndim == 3 and c.shape != x.shape
        yield float((c.diagonal(dim1=1, dim2=2) if matrices else torch.as_tensor(c)).double().mean())


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [ReverseVariance]
