"""F1 at a fixed threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Metric, hookimpl

from ._labels import decisions, mean_over, truth, unless_nan

if TYPE_CHECKING:
    from torch import Tensor


class F1Micro(Metric):
    """F1 of the decisions, counted over all examples and labels together.

    2 TP / (2 TP + FP + FN). Higher is better. logits [n, labels], target [n, labels] -> scalar in [0, 1]; labels with a
    logit above `threshold` are predicted, or with such a log-odds where the loss declares other probabilities than the
    sigmoid. Class numbers [n] are accepted too; then the answers are those of `accuracy` and the value is the accuracy.
    A ratio of counts: biased by about 1/n. NaN where a logit is NaN, or where there are neither positives nor
    predictions.
    """

    threshold: float = 0.0
    tasks: ClassVar = ("classes", "multilabel")
    higher_is_better: ClassVar[bool | None] = True

    def __call__(self, logits: Tensor, target: Tensor, scores: Tensor | None = None) -> Tensor:
        predicted, there = decisions(logits, target, self.threshold, scores), truth(target, logits)
        return unless_nan(2 * (predicted * there).sum() / (predicted.sum() + there.sum()), logits, scores)


class F1Macro(Metric):
    """F1 of each label, averaged over the labels that have a positive.

    Rare labels count like others. Higher is better. logits [n, labels], target [n, labels] -> scalar in [0, 1]; labels
    with a logit above `threshold` are predicted, as in `f1_micro`. Class numbers [n] are accepted too, and the answers
    are those of `accuracy`. The set of labels averaged over does not depend on the predictions, so that contenders are
    compared on the same labels. A mean of ratios of counts: biased where a label has few positives. NaN where a logit
    is NaN or no label has a positive.
    """

    threshold: float = 0.0
    tasks: ClassVar = ("classes", "multilabel")
    higher_is_better: ClassVar[bool | None] = True

    def __call__(self, logits: Tensor, target: Tensor, scores: Tensor | None = None) -> Tensor:
        predicted, there = decisions(logits, target, self.threshold, scores), truth(target, logits)
        f1 = 2 * (predicted * there).sum(0) / (predicted.sum(0) + there.sum(0))
        return unless_nan(mean_over(f1, there.any(0)), logits, scores)


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [F1Micro, F1Macro]
