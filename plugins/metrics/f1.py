"""F1 at a fixed threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.stock.metrics._labels import decisions, mean_over, truth, unless_nan

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class F1Micro(Metric):
    """2 TP / (2 TP + FP + FN), counted over all examples and labels together. Higher is better.

    logits [n, labels], target [n, labels] -> scalar in [0, 1]; labels with a logit above `threshold` are predicted.
    Class numbers [n] are accepted too, the largest logit decides, and it is the accuracy. A ratio of counts: biased by
    about 1/n. NaN where a logit is NaN or nothing is to be found and nothing was predicted.
    """

    threshold: float = 0.0
    tasks: ClassVar = ("classes", "multilabel")
    better: ClassVar[str] = "higher"

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        predicted, there = decisions(logits, target, self.threshold), truth(target, logits)
        return unless_nan(2 * (predicted & there).sum() / (predicted.sum() + there.sum()), logits)


class F1Macro(Metric):
    """F1 of each label, averaged over the labels that have a positive: rare ones count like others. Higher is better.

    logits [n, labels], target [n, labels] -> scalar in [0, 1]; labels with a logit above `threshold` are predicted.
    Class numbers [n] are accepted too, and the largest logit decides. What is averaged over does not depend on the
    predictions, so that contenders are compared on the same labels. A mean of ratios of counts: biased where a label
    has few positives. NaN where a logit is NaN or no label has a positive.
    """

    threshold: float = 0.0
    tasks: ClassVar = ("classes", "multilabel")
    better: ClassVar[str] = "higher"

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        predicted, there = decisions(logits, target, self.threshold), truth(target, logits)
        f1 = 2 * (predicted & there).sum(0) / (predicted.sum(0) + there.sum(0))
        return unless_nan(mean_over(f1, there.any(0)), logits)


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [F1Micro, F1Macro]
