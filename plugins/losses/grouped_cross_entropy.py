"""Cross-entropy of groups of items."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Loss, hookimpl

from ._grouped import scores_and_labels

if TYPE_CHECKING:
    from torch import Tensor


class GroupedCrossEntropy(Loss):
    """Cross-entropy summed over the items of a group.

    sum_i sum_j -t_ij log p_ij with p the softmax over the classes of each item: the items are independent. Logits
    [batch, items, classes], target [batch, items] or soft [batch, items, classes] -> [batch], nats, one sum for each
    group. Negative class numbers and soft labels of zeros are padding; a logit of -inf masks its class.
    """

    tasks: ClassVar = ("grouped",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        scores, labels = scores_and_labels(logits, target)
        return -(labels * torch.log_softmax(scores, -1)).sum((-2, -1))


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [GroupedCrossEntropy]
