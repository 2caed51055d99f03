"""Focal loss of every label."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch.nn.functional as F
from harness.stock.losses._multilabel import scores_and_targets

from harness import Loss, NonNegative, Unit, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class FocalBCE(Loss):
    """-sum_i (1 - q_i)^gamma log q_i, q the probability given to what label i is (Lin et al., 2017, eq. 4 and 5).

    Multi-label: [batch, labels], target [batch, labels] -> [batch], nats. q is p = sigmoid(logits) where the label is
    on, 1 - p where it is off; a target in between weighs the two. `alpha` weighs labels that are on, 1 - alpha those
    that are off; null weighs both 1, and with gamma = 0 that is `bce`. Low logits mask a label whose target is 0.
    """

    gamma: NonNegative = 2.0
    alpha: Unit | None = None
    tasks: ClassVar = ("multilabel",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        s, t = scores_and_targets(logits, target)
        log_p, log_rest = F.logsigmoid(s), F.logsigmoid(-s)
        # Powers as exponentials: their gradients stay finite where p rounds to 0 or 1, for any gamma.
        on = t * (self.gamma * log_rest).exp() * log_p
        off = (1 - t) * (self.gamma * log_p).exp() * log_rest
        return -(on + off if self.alpha is None else self.alpha * on + (1 - self.alpha) * off).sum(-1)


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [FocalBCE]
