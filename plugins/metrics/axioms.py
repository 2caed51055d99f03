"""The four axioms of a transform from logits to probabilities, each as the largest violation on hard inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from harness import Metric, hookimpl

SHIFTS = (-7.0, 0.5, 100.0)


class NegativeError(Metric):
    """How far below 0 the smallest probability lies; 0 for a distribution. Lower is better.

    transform, adversaries: groups of logits [r, n] -> scalar. NaN where a probability is NaN.
    """

    better: ClassVar[str] = "lower"

    def __call__(self, transform: Callable[[Tensor], Tensor], adversaries: Sequence[Tensor]) -> float:
        return _largest(-transform(rows).double().min() for rows in adversaries)


class SumError(Metric):
    """The largest distance of a sum of probabilities from 1. Lower is better.

    transform, adversaries: groups of logits [r, n] -> scalar. NaN where a probability is NaN.
    """

    better: ClassVar[str] = "lower"

    def __call__(self, transform: Callable[[Tensor], Tensor], adversaries: Sequence[Tensor]) -> float:
        return _largest((transform(rows).double().sum(-1) - 1).abs().max() for rows in adversaries)


class OrderError(Metric):
    """The largest amount by which a smaller logit gets the larger probability. Lower is better.

    transform, adversaries: groups of logits [r, n] -> scalar. NaN where a probability is NaN.
    """

    better: ClassVar[str] = "lower"

    def __call__(self, transform: Callable[[Tensor], Tensor], adversaries: Sequence[Tensor]) -> float:
        return _largest(_disorder(transform(rows).double(), rows) for rows in adversaries)


class ShiftError(Metric):
    """The largest change of a probability when a constant is added to all logits. Lower is better.

    transform, adversaries: groups of logits [r, n] -> scalar. Logits that the constant's rounding would change are left
    out: those beyond 100. NaN where a probability is NaN.
    """

    better: ClassVar[str] = "lower"

    def __call__(self, transform: Callable[[Tensor], Tensor], adversaries: Sequence[Tensor]) -> float:
        rows = [group for group in adversaries if group.abs().max() <= 100]
        return _largest((transform(r + c) - transform((r + c) - c)).double().abs().max() for r in rows for c in SHIFTS)


def _disorder(p: Tensor, logits: Tensor) -> Tensor:
    """Neighbours in the order of the logits suffice; ties may come in any order."""
    order = logits.argsort(-1)
    steps = p.gather(-1, order).diff(dim=-1).masked_fill(logits.gather(-1, order).diff(dim=-1) == 0, 0)
    return -steps.min() if steps.numel() else p.new_zeros(())


def _largest(errors: Iterable[Tensor]) -> float:
    """The largest of them, at least 0; NaN if any is."""
    return float(torch.stack(list(errors)).max().clamp(min=0))


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [NegativeError, SumError, OrderError, ShiftError]
