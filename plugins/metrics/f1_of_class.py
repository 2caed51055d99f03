"""F1 of one class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge

from harness import Metric, hookimpl

from ._labels import decisions, truth, unless_nan

if TYPE_CHECKING:
    from torch import Tensor


class F1OfClass(Metric):
    """F1 of one class, the positive one.

    2 TP / (2 TP + FP + FN) for the class `positive`. Higher is better. logits [n, classes], target [n] -> scalar in
    [0, 1]; the answers are those of `accuracy`. A ratio of counts: biased by about 1 / n. NaN where a logit is NaN, or
    where the class neither occurs nor is predicted.
    """

    positive: Annotated[int, Ge(0)] = 1
    tasks: ClassVar = ("classes",)
    higher_is_better: ClassVar[bool | None] = True

    def __call__(self, logits: Tensor, target: Tensor, scores: Tensor | None = None) -> Tensor:
        predicted, there = (
            part[:, self.positive] for part in (decisions(logits, target, 0.0, scores), truth(target, logits))
        )
        return unless_nan(2 * (predicted * there).sum() / (predicted.sum() + there.sum()), logits, scores)


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [F1OfClass]
