"""Binary cross-entropy of every label."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch.nn.functional as F

from harness import Loss, hookimpl

from ._multilabel import scores_and_targets

if TYPE_CHECKING:
    from torch import Tensor


class BCE(Loss):
    """Binary cross-entropy, summed over the labels of an example.

    -sum_i (t_i log p_i + (1 - t_i) log(1 - p_i)) with p = sigmoid(logits): the labels are independent Bernoulli
    variables. Logits [batch, labels], target in [0, 1] [batch, labels] -> [batch], nats. It is the sum over labels and
    not their mean, so it is the negative log-likelihood of an example; where the fit is good it equals `zlpr` to first
    order, and both may share a learning rate. A logit of -inf or far below masks its label where the target is 0.
    """

    tasks: ClassVar = ("multilabel",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        s, t = scores_and_targets(logits, target)
        return -(t * F.logsigmoid(s) + (1 - t) * F.logsigmoid(-s)).sum(-1)


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [BCE]
