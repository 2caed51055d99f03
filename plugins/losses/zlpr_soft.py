"""ZLPR for labels between 0 and 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from harness.stock.losses._multilabel import log1p_sum_exp, scores_and_targets
from harness.stock.losses._scores import FLOOR

from harness import Loss, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class ZLPRSoft(Loss):
    """log(1 + sum_i (1 - t_i) exp(s_i)) + log(1 + sum_i t_i exp(-s_i)): ZLPR for soft labels (Su, 2022, no. 9064).

    Multi-label: [batch, labels], target in [0, 1] [batch, labels] -> [batch], nats; of hard labels it is `zlpr`. Its
    minimum lies at t = sigmoid(2 s), so that is what a logit s means, and not sigmoid(s). A logit of -inf or far below
    masks its label where the target is exactly 0.
    """

    tasks: ClassVar = ("multilabel",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        s, t = scores_and_targets(logits, target)
        return log1p_sum_exp(_weighted(1 - t, s)) + log1p_sum_exp(_weighted(t, -s))

    def probabilities(self, logits: Tensor) -> Tensor:
        """sigmoid(2 s), the soft label for which s is the optimum."""
        return (2 * logits).sigmoid()


def _weighted(share: Tensor, scores: Tensor) -> Tensor:
    """log(share exp(s)); a share of 0 counts for nothing, however large the score."""
    some = share > 0
    return torch.where(some, torch.where(some, share, 1.0).log() + scores, FLOOR)


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [ZLPRSoft]
