"""Variational bound of a sampler that is the decoder of a hierarchical autoencoder."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import torch

from harness import Metric, hookimpl

from ._elbo import Bound, Bounded, bound

if TYPE_CHECKING:
    from torch import Tensor

    from harness import DiffusionModel, NoiseSource, Sampler

Covariance = Callable[..., Any]
DRAWS = 2**15


class Nelbo(Bounded):
    """Upper bound on the negative log-likelihood of data, per dimension.

    The negative evidence lower bound in nats per dimension: no less than the mean of -log p over data. Lower is better.
    reference [m, *shape], model, sampler, covariance, times, noise -> scalar. It is the sum of its `term`s
    (Ho et al., 2020, eq. 5): `prior`, KL(x_T of data || standard normal); `steps`, for each step but the last,
    KL(encoder's x_s given x_t and x_0 || sampler's x_s given x_t); `end`, -log density of x_0 at the last step, with
    the best variance that is the same everywhere, as the sampler's own may be 0.

    The mean of the encoder is that of the sampler with x_0 in place of its prediction. So the mean over x_0 of the
    difference between the two is that of the posterior where it is known, and needs no draws (Rao-Blackwell). Unbiased;
    x_0 and x_t are the same draws for every contender. None where x_s given x_t is not normal, as with several network
    evaluations per step. Raises Skip where it is infinite: DDIM without noise.
    """

    reference = """
    @inproceedings{ho2020ddpm, author = {Ho, Jonathan and Jain, Ajay and Abbeel, Pieter}, title = {Denoising
      Diffusion Probabilistic Models}, booktitle = {Advances in Neural Information Processing Systems}, year =
      {2020}}"""

    term: Literal["all", "prior", "steps", "end"] = "all"

    def of(self, found: Bound, reference: Tensor, model: DiffusionModel, noise: NoiseSource) -> float:
        """Sum of the terms, or one term."""
        terms = _terms(found)
        return sum(terms.values()) if self.term == "all" else terms[self.term]


class NelboGap(Bounded):
    """Excess of the negative evidence lower bound over the data's entropy.

    In nats per dimension. Lower is better. It takes the inputs of `nelbo`. KL(encoder's x_0, ..., x_T || sampler's), 0
    for a sampler that reverses the noise exactly: the loss due to the sampler's normal steps, its variance and its
    start. The entropy is a mean over 32,768 draws, the same for every contender; for normal data its deviation is 0.004
    / sqrt(d), so small gaps may come out below 0. None where `nelbo` is, or where the density of data is not known.
    """

    def of(self, found: Bound, reference: Tensor, model: DiffusionModel, noise: NoiseSource) -> float | None:
        """Sum of the terms less the entropy."""
        if model.denoiser.log_prob(model.net, reference[:1]) is None:
            return None
        density = model.log_prob(noise.drawn("entropy", DRAWS, model.sample))
        return sum(_terms(found).values()) + float(density.double().mean()) / reference[0].numel()


class StepKL(Bounded):
    """Divergence of a sampler's steps from those of the encoder.

    In nats per dimension, without the start and the last step. Lower is better. It takes the inputs of `nelbo`, and is
    its term `steps`: the sum over steps of KL(encoder's x_s given x_t and x_0 || sampler's x_s given x_t). Figures show
    it step by step.
    """

    def of(self, found: Bound, reference: Tensor, model: DiffusionModel, noise: NoiseSource) -> float:
        """Sum over the steps."""
        return float(found.steps.sum())

    def curve(
        self,
        reference: Tensor,
        model: DiffusionModel,
        sampler: Sampler,
        covariance: Covariance | None,
        times: Tensor,
        noise: NoiseSource,
    ) -> Tensor | None:
        """Start time and divergence of each step [2, K - 1]."""
        found = bound(reference, model, sampler, covariance, times, noise)
        return None if found is None else torch.stack([times[: len(found.steps)].cpu(), found.steps])


def _terms(found: Bound) -> dict[str, float]:
    end = (1 + math.log(2 * math.pi * float(found.missed.mean()))) / 2
    return {"prior": found.prior, "steps": float(found.steps.sum()), "end": end}


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [Nelbo, NelboGap, StepKL]
