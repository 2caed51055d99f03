"""ZLPR for labels between 0 and 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
import torch.nn.functional as F

from harness import Loss, hookimpl

from ._multilabel import log1p_sum_exp, scores_and_targets
from ._scores import FLOOR

if TYPE_CHECKING:
    from torch import Tensor


class ZLPRSoft(Loss):
    """Softmax cross-entropy for many soft labels (Su, 2022).

    log(1 + sum_i (1 - t_i) exp(s_i)) + log(1 + sum_i t_i exp(-s_i)), ZLPR for soft labels (Su, 2022,
    kexue.fm/archives/9064). Logits [batch, labels], target in [0, 1] [batch, labels] -> [batch], nats; for hard labels
    it is `zlpr`. Its minimum lies at t = sigmoid(2 s), so that is the probability a logit s stands for, and not
    sigmoid(s). A logit of -inf or far below masks its label where the target is exactly 0.
    """

    tasks: ClassVar = ("multilabel",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        s, t = scores_and_targets(logits, target)
        return log1p_sum_exp(_weighted(1 - t, s)) + log1p_sum_exp(_weighted(t, -s))

    def probabilities(self, logits: Tensor) -> Tensor:
        """Soft label for which s is the optimum: sigmoid(2 s)."""
        return (2 * logits).sigmoid()

    def log_probabilities(self, logits: Tensor) -> Tensor:
        """Logarithm of `probabilities`, also where they round to 0 or 1."""
        return F.logsigmoid(2 * logits)


def _weighted(share: Tensor, scores: Tensor) -> Tensor:
    """Value of log(share exp(s)); a share of 0 counts for nothing, however large the score."""
    some = share > 0
    return torch.where(some, torch.where(some, share, 1.0).log() + scores, FLOOR)


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [ZLPRSoft]
