"""Mean average precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

from ._labels import truth, unless_nan

if TYPE_CHECKING:
    from torch import Tensor


class MeanAveragePrecision(Metric):
    """Average precision of each label's ranking, averaged over the labels.

    Average precision is the mean precision at the rank of each positive. Higher is better. logits [n, labels], target
    [n, labels] or class numbers [n] -> scalar in [0, 1]. Each label ranks the examples by its own logit, or by its
    log-odds where the loss declares other probabilities than the softmax or sigmoid; equal ones share a rank. Labels
    without a positive are left out. It needs no threshold. Biased upward where a label has few positives: a random
    ranking scores more than their share. NaN where a logit is NaN or no label has a positive.
    """

    tasks: ClassVar = ("classes", "multilabel")
    higher_is_better: ClassVar[bool | None] = True

    def __call__(self, logits: Tensor, target: Tensor, scores: Tensor | None = None) -> Tensor:
        ranked = logits if scores is None else scores
        columns = ranked.to(torch.promote_types(ranked.dtype, torch.float32)).T.contiguous()
        ascending, order = columns.sort(-1)
        positive = truth(target, logits).T.gather(-1, order)
        tied_from = torch.searchsorted(ascending, ascending).clamp(max=len(logits) - 1)  # exceeds it only with NaN
        count = positive.sum(-1, keepdim=True)
        lower = (positive.cumsum(-1) - positive.long()).gather(-1, tied_from)  # positives with a lower logit
        precision = (count - lower) / (len(logits) - tied_from).to(columns.dtype)
        average = torch.where(positive, precision, 0.0).sum(-1) / count[:, 0]  # 0 / 0 without a positive
        return unless_nan(average.nanmean(), logits, scores)


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [MeanAveragePrecision]
