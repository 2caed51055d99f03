"""Logit-adjusted cross-entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.stock.losses._scores import examples

from harness import Loss, NonNegative, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class LogitAdjusted(Loss):
    """Cross-entropy of logits plus tau log prior, for the balanced error rate (Menon et al., 2021).

    [batch, classes], [batch], counts [classes] -> [batch], nats; float32 for half logits. The prior is a class's share
    of the training examples; a class without any counts as having one. tau = 0 is cross-entropy.
    """

    tasks: ClassVar = ("classes",)
    tau: NonNegative = 1.0

    def __call__(self, logits: Tensor, target: Tensor, class_counts: Tensor) -> Tensor:
        counts = examples(class_counts, logits)
        adjusted = logits + self.tau * (counts / counts.sum()).log()
        return -adjusted.log_softmax(-1).gather(-1, target[:, None])[:, 0]


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [LogitAdjusted]
