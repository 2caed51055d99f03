"""Balanced accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from harness.stock.metrics._labels import mean_over, unless_nan

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class BalancedAccuracy(Metric):
    """The share of right answers in each class, averaged over the classes that occur. Higher is better.

    logits [n, ..., classes], target [n, ...] -> scalar in [0, 1]; the largest logit answers, the first class wins a
    tie. Of a soft label [n, ..., classes] the class with most counts, the first of equals. With as many examples of
    every class it is `accuracy`. A mean of ratios of counts, unbiased where every class occurs. NaN where a logit is.
    """

    tasks: ClassVar = ("classes", "grouped")
    better: ClassVar[str] = "higher"

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        label = target.argmax(-1) if target.is_floating_point() else target
        of_class = label.flatten()[:, None] == torch.arange(logits.shape[-1], device=logits.device)
        right = (logits.argmax(-1) == label).flatten()[:, None] & of_class
        return unless_nan(mean_over(right.sum(0) / of_class.sum(0), of_class.any(0)), logits)


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [BalancedAccuracy]
