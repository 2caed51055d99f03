"""Log-balanced loss of n items of m classes: cross-entropy truncated after its first order."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Loss, hookimpl

from ._grouped import log_labels, per_class, scores_and_labels
from ._scores import FLOOR

if TYPE_CHECKING:
    from torch import Tensor


class GroupedTruncated(Loss):
    """Log-balanced loss of a group, a truncated cross-entropy (Su, 2022).

    sum_j log(1 + sum_i t_ij (1 / p_ij - 1)): each class weighs as the logarithm of its errors (Su, 2022,
    kexue.fm/archives/9158). p is the softmax over the classes of an item. Logits [batch, items, classes], target
    [batch, items] or soft [batch, items, classes] -> [batch], one number for each group, whose items are coupled: it is
    no mean over them, and grows with their number. For two classes it is the multi-label loss ZLPR of s_1 - s_0. Its
    optimum for soft labels is not p = t. Negative class numbers and soft labels of zeros are padding; a logit of -inf
    masks its class.
    """

    tasks: ClassVar = ("grouped",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        scores, labels = scores_and_labels(logits, target)
        return per_class(log_labels(labels) + _log_odds_against(scores))


def _log_odds_against(scores: Tensor) -> Tensor:
    """Log-odds against each class, accurate where p_j is near 1: [..., classes] -> [..., classes].

    log(1 / p_j - 1) = log sum_{k != j} exp(s_k - s_j), without the cancellation in 1 - p_j.
    """
    first = scores.argmax(-1, keepdim=True)
    is_first = first == torch.arange(scores.shape[-1], device=scores.device)
    total = scores.logsumexp(-1, keepdim=True)
    p = torch.where(is_first, 0.0, (scores - total).exp())  # at most 1/2
    others = scores.scatter(-1, first, FLOOR).logsumexp(-1, keepdim=True)
    return torch.where(is_first, others, total + torch.log1p(-p)) - scores


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [GroupedTruncated]
