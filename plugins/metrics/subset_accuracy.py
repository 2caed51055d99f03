"""Exact matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from harness.stock.metrics._labels import decisions, truth

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class SubsetAccuracy(Metric):
    """1 where every label of an example is right, else 0: exact match. Higher is better; unbiased.

    logits [n, labels], target [n, labels] -> [n]; labels with a logit above `threshold` are predicted. Class numbers
    [n] are accepted too, the largest logit decides, and it is the accuracy. An example with a NaN logit gives NaN.
    """

    threshold: float = 0.0
    tasks: ClassVar = ("classes", "multilabel")
    better: ClassVar[str] = "higher"

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        right = (decisions(logits, target, self.threshold) == truth(target, logits)).all(-1)
        return torch.where(logits.isnan().any(-1), torch.nan, right.to(logits.dtype))


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [SubsetAccuracy]
