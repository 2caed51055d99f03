"""Cross-entropy of groups of items with equal weights of the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Loss, hookimpl

from ._grouped import scores_and_labels

if TYPE_CHECKING:
    from torch import Tensor


class GroupedBalanced(Loss):
    """Cross-entropy averaged over the items of each class of a group.

    sum_j sum_i -t_ij log p_ij / sum_i t_ij with p the softmax over the classes of an item: a class weighs the same,
    however many items it has. It is the control for log-balanced losses, since it balances by weights alone. Logits
    [batch, items, classes], target [batch, items] or soft [batch, items, classes] -> [batch], nats. A class without a
    share in the group costs nothing. Soft labels of unequal classes are not its optimum. Negative class numbers and
    soft labels of zeros are padding; a logit of -inf masks its class.
    """

    tasks: ClassVar = ("grouped",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        scores, labels = scores_and_labels(logits, target)
        shares = labels.sum(-2)
        costs = -(labels * torch.log_softmax(scores, -1)).sum(-2)
        return (costs / torch.where(shares > 0, shares, 1.0)).sum(-1)


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [GroupedBalanced]
