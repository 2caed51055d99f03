"""Log-balanced loss of n items of m classes with the soft label as its optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Loss, hookimpl

from ._grouped import log_labels, per_class, scores_and_labels

if TYPE_CHECKING:
    from torch import Tensor

MASKED = -5e3
"""A logit this low masks its class: -1e4, the usual mask in float16, may have had a logit added to it."""


class GroupedSoft(Loss):
    """Log-balanced loss of a group, optimal at the soft labels (Su, 2022).

    sum_j log(1 + sum_i t_ij exp(-f_ij)) with f_ij = s_ij - mean_j s_ij; its optimum is p = t (Su, 2022,
    kexue.fm/archives/9158). Logits [batch, items, classes], target [batch, items] or soft [batch, items, classes] ->
    [batch], one number for each group, whose items are coupled. For two classes it is the multi-label loss ZLPR of
    (s_1 - s_0) / 2. With hard labels it asks only that the label's logit be far above the mean, so another class may
    still be above it. Negative class numbers and soft labels of zeros are padding. A class whose logit is -5000 or
    lower is masked, that is left out of the mean, unless it has a share of the label.
    """

    tasks: ClassVar = ("grouped",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        scores, labels = scores_and_labels(logits, target)
        present = (scores > MASKED) | (labels > 0)
        mean = torch.where(present, scores, 0.0).sum(-1, keepdim=True) / present.sum(-1, keepdim=True)
        return per_class(log_labels(labels) - (scores - mean))


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [GroupedSoft]
