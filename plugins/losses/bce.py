"""Binary cross-entropy of every label."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch.nn.functional as F
from harness.stock.losses._multilabel import scores_and_targets

from harness import Loss, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class BCE(Loss):
    """-sum_i (t_i log p_i + (1 - t_i) log(1 - p_i)), p = sigmoid(logits): the labels as independent coin tosses.

    Multi-label: [batch, labels], target in [0, 1] [batch, labels] -> [batch], nats. The sum over labels and not their
    mean: it is the negative log-likelihood of an example, and where the fit is good it equals `zlpr` to first order,
    so that both may share a learning rate. A logit of -inf or far below masks its label where the target is 0.
    """

    tasks: ClassVar = ("multilabel",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        s, t = scores_and_targets(logits, target)
        return -(t * F.logsigmoid(s) + (1 - t) * F.logsigmoid(-s)).sum(-1)


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [BCE]
