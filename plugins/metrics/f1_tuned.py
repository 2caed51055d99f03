"""F1 at the threshold that is best on validation data."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import torch

from harness import Metric, hookimpl

from ._labels import mean_over, truth, unless_nan

if TYPE_CHECKING:
    from torch import Tensor


class F1Tuned(Metric):
    """F1 with the one threshold that is best on the validation part.

    One threshold serves all labels. Higher is better. logits [n, labels], target [n, labels] or class numbers [n], the
    same of the validation part -> scalar in [0, 1]. So a loss whose logits are shifted from 0 is judged by its best
    threshold, one of log-odds where the loss declares other probabilities than the softmax or sigmoid. `average` is as
    in `f1_micro` and `f1_macro`, for the choice and for the result; of equally good thresholds the highest is taken.
    The result is on other examples than the choice, so it is not optimistic. NaN where a logit is NaN or there is no
    positive.
    """

    average: Literal["micro", "macro"] = "micro"
    tasks: ClassVar = ("classes", "multilabel")
    higher_is_better: ClassVar[bool | None] = True

    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        validation_logits: Tensor,
        validation_target: Tensor,
        scores: Tensor | None = None,
        validation_scores: Tensor | None = None,
    ) -> Tensor:
        ranked, before = (logits, validation_logits) if scores is None else (scores, validation_scores)
        assert before is not None
        macro = self.average == "macro"
        threshold = _best(before, truth(validation_target, before), macro)
        predicted, there = ranked > threshold, truth(target, ranked)
        value = _f1((predicted & there).sum(0), predicted.sum(0), there.sum(0), macro)
        return unless_nan(value, ranked, before)


def _f1(hits: Tensor, predicted: Tensor, there: Tensor, macro: bool) -> Tensor:
    """F1 from counts of each label."""
    if macro:
        return mean_over(2 * hits / (predicted + there), there > 0)
    return 2 * hits.sum() / (predicted.sum() + there.sum())


def _best(logits: Tensor, there: Tensor, macro: bool) -> Tensor:
    """Threshold with the highest F1: every logit is tried, in one pass from the highest down."""
    scores, order = logits.flatten().sort(descending=True)
    hit = there.flatten()[order]
    if macro:
        gains = _gains(logits, there).flatten()[order]
        f1 = gains.cumsum(0)  # times the number of labels with a positive
    else:
        f1 = 2 * hit.cumsum(0).double() / (torch.arange(1, len(hit) + 1, device=hit.device) + hit.sum())
    following = torch.cat([scores[1:], scores.new_full((1,), -torch.inf)])
    return following[torch.where(following < scores, f1, -1.0).argmax()]


def _gains(logits: Tensor, there: Tensor) -> Tensor:
    """Increase in the F1 of its label by one more predicted pair; 0 for labels without a positive: [n, labels]."""
    order = logits.argsort(0, descending=True)
    hits = there.gather(0, order).cumsum(0)
    predicted = torch.arange(1, len(logits) + 1, device=logits.device)[:, None]
    f1 = 2 * hits.double() / (predicted + there.sum(0))
    return torch.zeros_like(f1).scatter(0, order, f1.diff(dim=0, prepend=torch.zeros_like(f1[:1])))


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [F1Tuned]
