"""Axioms of a transform from logits to probabilities, each as the largest violation on hard inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from harness import Metric, hookimpl

SHIFTS = (-7.0, 0.5, 100.0)


class Negativity(Metric):
    """Amount by which the smallest probability is below 0.

    0 for a distribution. Lower is better. transform, adversaries: groups of logits [r, n] -> scalar. NaN where a
    probability is NaN.
    """

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, transform: Callable[[Tensor], Tensor], adversaries: Sequence[Tensor]) -> float:
        return _largest(-transform(rows).double().min() for rows in adversaries)


class NormalizationError(Metric):
    """Largest distance of a sum of probabilities from 1.

    Lower is better. transform, adversaries: groups of logits [r, n] -> scalar. NaN where a probability is NaN.
    """

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, transform: Callable[[Tensor], Tensor], adversaries: Sequence[Tensor]) -> float:
        return _largest((transform(rows).double().sum(-1) - 1).abs().max() for rows in adversaries)


class MonotonicityViolation(Metric):
    """Largest amount by which a smaller logit gets the larger probability.

    Lower is better. transform, adversaries: groups of logits [r, n] -> scalar. NaN where a probability is NaN.
    """

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, transform: Callable[[Tensor], Tensor], adversaries: Sequence[Tensor]) -> float:
        return _largest(_disorder(transform(rows).double(), rows) for rows in adversaries)


class ShiftInvarianceError(Metric):
    """Largest change of a probability when a constant is added to all logits.

    Lower is better. transform, adversaries: groups of logits [r, n] -> scalar. Logits beyond 100, which the addition
    itself would round, are left out. NaN where a probability is NaN.
    """

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, transform: Callable[[Tensor], Tensor], adversaries: Sequence[Tensor]) -> float:
        rows = [group for group in adversaries if group.abs().max() <= 100]
        return _largest((transform(r + c) - transform((r + c) - c)).double().abs().max() for r in rows for c in SHIFTS)


def _disorder(p: Tensor, logits: Tensor) -> Tensor:
    """Largest violation of the order. Neighbors in the order of the logits suffice; ties may come in any order."""
    order = logits.argsort(-1)
    steps = p.gather(-1, order).diff(dim=-1).masked_fill(logits.gather(-1, order).diff(dim=-1) == 0, 0)
    return -steps.min() if steps.numel() else p.new_zeros(())


def _largest(errors: Iterable[Tensor]) -> float:
    """Largest of the values, at least 0; NaN if any is NaN."""
    return float(torch.stack(list(errors)).max().clamp(min=0))


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [Negativity, NormalizationError, MonotonicityViolation, ShiftInvarianceError]
