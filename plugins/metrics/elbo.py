"""The variational bound of a sampler that is the decoder of a hierarchical autoencoder."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import torch
from harness.stock.metrics._elbo import Bound, Bounded, bound

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from harness import Noise, Ready, Sampler

Covariance = Callable[..., Any]
DRAWS = 2**15


class Nelbo(Bounded):
    """Negative evidence lower bound, nats per dimension: no less than the mean of -log p over data. Lower is better.

    reference [m, *shape], denoiser, sampler, covariance, times, noise -> scalar. The sum of `term`s (Ho et al., 2020,
    eq. 5): `prior`, KL(x_T of data || standard normal); `steps`, for each step but the last, KL(encoder's x_s given x_t
    and x_0 || sampler's x_s given x_t); `end`, -log density of x_0 at the last step, with the best variance that is the
    same everywhere, as the sampler's own may be 0. The encoder is the one whose mean is the sampler's with x_0 for its
    guess, so the mean over x_0 of what is between those is the posterior's where that is known, and needs no draws
    (Rao-Blackwell). Unbiased; x_0 and x_t are the same draws for every contender. None where x_s given x_t is not
    normal, as with several answers of the network a step. Raises Skip where it is infinite: DDIM without noise.
    """

    term: Literal["all", "prior", "steps", "end"] = "all"

    def of(self, found: Bound, reference: Tensor, denoiser: Ready, noise: Noise) -> float:
        """The sum, or one term."""
        terms = _terms(found)
        return sum(terms.values()) if self.term == "all" else terms[self.term]


class NelboGap(Bounded):
    """What the negative evidence lower bound lies above the entropy of data, in nats per dimension. Lower is better.

    Takes what `nelbo` takes. KL(encoder's x_0, ..., x_T || sampler's), 0 for one that undoes the noise exactly: what is
    lost by the sampler's normal steps, by its variance and by its start. The entropy is a mean over 32,768 draws, the
    same for every contender; for normal data its deviation is 0.004 / sqrt(d), so small gaps may come out below 0. None
    where `nelbo` is, or the density of data is not known.
    """

    def of(self, found: Bound, reference: Tensor, denoiser: Ready, noise: Noise) -> float | None:
        """The sum less the entropy."""
        if denoiser.denoiser.log_density(denoiser.net, reference[:1]) is None:
            return None
        density = denoiser.log_density(noise.drawn("entropy", DRAWS, denoiser.draw))
        return sum(_terms(found).values()) + float(density.double().mean()) / reference[0].numel()


class StepKL(Bounded):
    """What the steps of a sampler lose, in nats per dimension, without the start and the last step. Lower is better.

    Takes what `nelbo` takes, and is its term `steps`: the sum over steps of KL(encoder's x_s given x_t and x_0 ||
    sampler's x_s given x_t). Figures show it step by step.
    """

    def of(self, found: Bound, reference: Tensor, denoiser: Ready, noise: Noise) -> float:
        """The sum over steps."""
        return float(found.steps.sum())

    def curve(
        self,
        reference: Tensor,
        denoiser: Ready,
        sampler: Sampler,
        covariance: Covariance | None,
        times: Tensor,
        noise: Noise,
    ) -> Tensor | None:
        """Where each step starts and what it loses [2, K - 1]."""
        found = bound(reference, denoiser, sampler, covariance, times, noise)
        return None if found is None else torch.stack([times[: len(found.steps)].cpu(), found.steps])


def _terms(found: Bound) -> dict[str, float]:
    end = (1 + math.log(2 * math.pi * float(found.missed.mean()))) / 2
    return {"prior": found.prior, "steps": float(found.steps.sum()), "end": end}


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [Nelbo, NelboGap, StepKL]
