"""Cross-entropy of groups of items."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from harness.stock.losses._grouped import scores_and_labels

from harness import Loss, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class GroupedCrossEntropy(Loss):
    """sum_i sum_j -t_ij log p_ij: the items of a group one by one, p = softmax over the classes of each.

    Logits [batch, items, classes], target [batch, items] or soft [batch, items, classes] -> [batch], nats, one sum for
    each group. Negative class numbers and soft labels of zeros are padding; a logit of -inf masks its class.
    """

    tasks: ClassVar = ("grouped",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        scores, labels = scores_and_labels(logits, target)
        return -(labels * torch.log_softmax(scores, -1)).sum((-2, -1))


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [GroupedCrossEntropy]
