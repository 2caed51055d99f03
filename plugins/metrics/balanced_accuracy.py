"""Balanced accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

from ._labels import hits, mean_over, unless_nan

if TYPE_CHECKING:
    from torch import Tensor


class BalancedAccuracy(Metric):
    """Share of right answers in each class, averaged over the classes.

    Only classes that occur count. Higher is better. logits [n, ..., classes], target [n, ...] -> scalar in [0, 1]; the
    answers are those of `accuracy`. A soft label's class [n, ..., classes] is its largest entry, the first of equal
    ones. With equally many examples of every class it is `accuracy`. A mean of ratios of counts, unbiased where every
    class occurs. NaN where a logit is NaN.
    """

    tasks: ClassVar = ("classes", "grouped")
    higher_is_better: ClassVar[bool | None] = True

    def __call__(self, logits: Tensor, target: Tensor, scores: Tensor | None = None) -> Tensor:
        label = target.argmax(-1) if target.is_floating_point() else target
        of_class = label.flatten()[:, None] == torch.arange(logits.shape[-1], device=logits.device)
        right = hits(logits, label, scores).to(torch.get_default_dtype()).flatten()[:, None] * of_class
        return unless_nan(mean_over(right.sum(0) / of_class.sum(0), of_class.any(0)), logits, scores)


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [BalancedAccuracy]
