"""Log-balanced loss of n items of m classes through the divergence of each item."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Loss, hookimpl

from ._grouped import log_labels, scores_and_labels

if TYPE_CHECKING:
    from torch import Tensor

LARGEST = 30.0
"""Exponents are kept below this: float32 holds exp(30) for any number of items."""


class GroupedKL(Loss):
    """Log-balanced loss of a group that vanishes only at the soft labels.

    sum_j log(1 + sum_i t_ij (exp(KL(t_i || p_i)) - 1)) with p the softmax over the classes of an item. Logits
    [batch, items, classes], target [batch, items] or soft [batch, items, classes] -> [batch], one number for each
    group, whose items are coupled; 0 exactly where p = t. With hard labels it is `grouped_truncated`, since exp(KL) = 1
    / p_y. Every item's divergence has a positive weight in the gradient, so p = t is the only stationary point; the
    loss is not convex. Negative class numbers and soft labels of zeros are padding; a logit of -inf masks its class.
    """

    tasks: ClassVar = ("grouped",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        scores, labels = scores_and_labels(logits, target)
        log_t = log_labels(labels)
        gaps = torch.where(labels > 0, log_t, 0.0) - torch.log_softmax(scores, -1)
        divergence = (labels * gaps).sum(-1, keepdim=True)
        exponents = log_t + divergence
        # exp(shift) is factored out of each class's sum where it would overflow, and added back after the logarithm
        shift = torch.relu(exponents.detach().amax(-2, keepdim=True) - LARGEST)
        penalties = torch.exp(exponents - shift) * -torch.expm1(-divergence)
        inside = penalties.sum(-2) + torch.expm1(-shift[:, 0])
        return (shift[:, 0] + torch.log1p(inside)).sum(-1)


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [GroupedKL]
