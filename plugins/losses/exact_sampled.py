"""EXACT as published: the expected accuracy estimated from a few draws."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy
import torch
from torch.special import ndtr, ndtri

from harness import Loss, NonNegative, Positive, PositiveInt, hookimpl

from ._scores import divided, wide
from ._standard import standardized

if TYPE_CHECKING:
    from torch import Generator, Tensor

FARTHEST = 5.0
"""Bound on the normal quantiles inside the estimate, as published."""
FLOOR = 1e-6
"""Added to P before its logarithm, as published."""


class ExactSampled(Loss):
    """EXACT estimated from draws, as published (Karpukhin et al., 2022).

    1 - P, or -log(P + 1e-6) for `aggregate: meanlog`, with P(all s_y - s_j + noise_j > 0) estimated by the sampler of
    Genz (1992) from `draws` points; the noises have covariance I + 1 (the difference of two normal noises each).
    Logits [batch, classes], labels [batch] -> [batch]; in float32 or wider. The gradient is a second estimate, of the
    derivative of P in every difference, and not the derivative of the first. `exact` is the same without sampling, by
    quadrature; its fields are explained there. The draws belong to the step: all contenders and all seeds of a
    block have the same.
    """

    reference = """
    @misc{karpukhin2022exact, author = {Karpukhin, Ivan and Dereka, Stanislav and Kolesnikov, Sergey}, title =
      {{EXACT}: How to Train Your Accuracy}, eprint = {2205.09615}, archiveprefix = {arXiv}, year = {2022}}"""

    tasks: ClassVar = ("classes",)
    temperature: Positive = 1.0
    margin: NonNegative | None = None
    standardize: bool = False
    aggregate: Literal["mean", "meanlog"] = "mean"
    draws: PositiveInt = 16
    own_gradient: ClassVar[bool] = True

    def __call__(self, logits: Tensor, target: Tensor, generator: Generator | None = None) -> Tensor:
        scores = wide(logits)
        scores = standardized(scores) if self.standardize else scores
        leads = _leads(scores, target)
        if self.margin is not None:
            leads = leads.clamp(max=self.margin)
        leads = divided(leads, self.temperature).sort(-1).values  # the hardest first
        fixed = leads.detach()
        shape = (len(leads), self.draws, leads.shape[-1])
        points = _uniform(shape, generator).to(leads)
        slope = _slopes(fixed, points)
        p = _orthant(fixed, points) + (slope * (leads - fixed)).sum(-1)
        return 1 - p if self.aggregate == "mean" else -(p + FLOOR).log()


def _uniform(shape: tuple[int, ...], generator: Generator | None) -> Tensor:
    """Uniform draws in (0, 1), by numpy: torch's own draws could not be mapped over seeds."""
    rng = numpy.random.default_rng(None if generator is None else generator.initial_seed())
    return torch.from_numpy(rng.random(shape))


def _leads(scores: Tensor, target: Tensor) -> Tensor:
    """Leads s_y - s_j over the other classes, [batch, classes - 1]."""
    classes = scores.shape[-1]
    others = torch.arange(classes - 1, device=scores.device)
    others = others + (others >= target[:, None]).to(others.dtype)
    return scores.gather(-1, target[:, None]) - scores.gather(-1, others)


def factors(size: int) -> list[tuple[float, float]]:
    """Cholesky factor of I + 1 of this size: for each column its diagonal, and the value everywhere below it."""
    found, squares = [], 0.0
    for _ in range(size):
        diagonal = math.sqrt(2 - squares)
        below = diagonal - 1 / diagonal
        found.append((diagonal, below))
        squares += below * below
    return found


def _orthant(leads: Tensor, points: Tensor, first: Tensor | None = None) -> Tensor:
    """Genz's estimate of P(noise_j < lead_j for all j) [...]: leads [..., m], points in (0, 1) [..., draws, m].

    With `first` [...] the first noise is that value exactly, and P is of the others.
    """
    shift = torch.zeros_like(points[..., 0])
    total = torch.ones_like(shift)
    for place, (diagonal, below) in enumerate(factors(leads.shape[-1])):
        if place == 0 and first is not None:
            shift = shift + below * (first / diagonal)[..., None]
            continue
        share = ndtr((leads[..., place, None] - shift) / diagonal)
        total = total * share
        shift = shift + below * ndtri(points[..., place] * share).clamp(-FARTHEST, FARTHEST)
    return total.mean(-1)


def _slopes(leads: Tensor, points: Tensor) -> Tensor:
    """Estimates of dP / d lead_j [batch, m]: the density of noise j at its lead times P of the others given it."""
    size = leads.shape[-1]
    places = torch.arange(size, device=leads.device)
    order = torch.stack([torch.cat([places[j : j + 1], places[:j], places[j + 1 :]]) for j in range(size)])
    moved = leads[..., order]  # [batch, m, m], each lead first once
    density = (-0.25 * leads.square()).exp() / math.sqrt(4 * math.pi)  # of variance 2
    return density * _orthant(moved, points[..., None, :, :].expand(*moved.shape[:-1], *points.shape[-2:]), leads)


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [ExactSampled]
