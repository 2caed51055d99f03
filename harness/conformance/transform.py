"""Requirements on a transform: the axioms, its logarithm, its gradient."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd import gradcheck

from harness.conformance import contract
from harness.kinds import Transform
from harness.protocols.transform.adversaries import adversaries
from harness.random import generator

CLASSES = 5

SUM = 1e-9
"""Largest difference of the sum of float64 probabilities from 1."""

SHIFT = 7.0
"""Constant added to all logits."""

ROUNDING = 1e-10
"""Tolerance for probabilities in float64."""

LOGARITHM = 1e-8
"""Largest difference of the exponential of a log-probability from the probability, computed separately."""


def positive(transform: Transform) -> tuple[bool | None, str]:
    """First axiom, also on hard rows: ties, extreme gaps, every scale."""
    least = float(_called(transform, torch.cat(adversaries(CLASSES, 0))).min())
    return least >= 0, f"positive: the least probability is {least:.3g}"


def normalized(transform: Transform) -> tuple[bool | None, str]:
    """Second axiom, on the same rows."""
    sums = _called(transform, torch.cat(adversaries(CLASSES, 0))).sum(-1)
    off = float((sums - 1).abs().max())
    return off <= SUM, f"normalized: probabilities add up to 1 within {off:.2g}"


def order(transform: Transform) -> tuple[bool | None, str]:
    """Third axiom, if claimed: a larger logit has no smaller probability."""
    logits = torch.cat([_logits(200), _logits(200) - 3])
    sorted_by_logit = _called(transform, logits).gather(-1, logits.argsort(-1))
    worst = -float(sorted_by_logit.diff(dim=-1).min())
    return _claimed(transform, "order", worst, "a larger logit has a smaller probability")


def shift(transform: Transform) -> tuple[bool | None, str]:
    """Fourth axiom, if claimed: a constant added to all logits changes nothing."""
    logits = _logits(20)
    worst = float((_called(transform, logits + SHIFT) - _called(transform, logits)).abs().max())
    return _claimed(transform, "shift", worst, f"{SHIFT:g} added to all logits changes a probability")


def _claimed(transform: Transform, axiom: str, worst: float, what: str) -> tuple[bool | None, str]:
    kept = worst <= ROUNDING
    found = "kept" if kept else f"{what} by {worst:.2g}"
    return (
        (kept, f"{axiom} claimed, {found}")
        if axiom in transform.properties
        else (None, f"{axiom} not claimed, {found}")
    )


def logarithm(transform: Transform) -> tuple[bool | None, str]:
    """`log` returns the logarithm of the probabilities."""
    logits = _logits(20)
    off = float((_seeded(transform.log, logits).exp() - _called(transform, logits)).abs().max())
    return off <= LOGARITHM, f"logarithm: exp of `log` is the probability within {off:.2g}"


def gradient(transform: Transform) -> tuple[bool | None, str]:
    """The gradient by autograd agrees with finite differences."""
    logits = _logits(4).requires_grad_()
    same = gradcheck(lambda s: _called(transform, s), logits, raise_exception=False)
    return same, f"gradient: {'' if same else 'not '}that of finite differences"


def _logits(rows: int) -> Tensor:
    return torch.randn(rows, CLASSES, dtype=torch.float64, generator=generator(0, "logits"))


def _called(transform: Transform, logits: Tensor) -> Tensor:
    p = _seeded(transform, logits)
    return contract.tensor(transform, "__call__", p, [tuple(logits.shape)], f" for logits {[*logits.shape]}")


def _seeded(function: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    """Call the function with a fixed seed, so that a random transform draws the same every time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return function(logits)


CHECKS = (positive, normalized, order, shift, logarithm, gradient)
