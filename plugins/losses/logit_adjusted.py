"""Logit-adjusted cross-entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Loss, NonNegative, hookimpl

from ._scores import examples

if TYPE_CHECKING:
    from torch import Tensor


class LogitAdjusted(Loss):
    """Cross-entropy adjusted for the balanced error rate (Menon et al., 2021).

    Cross-entropy of the logits plus tau times the log prior. Logits [batch, classes], labels [batch], counts [classes]
    -> [batch], nats; in float32 or wider. The prior is a class's share of the training examples; a class without any
    counts as having one. tau = 0 is cross-entropy.
    """

    reference = """
    @inproceedings{menon2021logit, author = {Menon, Aditya Krishna and Jayasumana, Sadeep and Rawat, Ankit Singh and
      Jain, Himanshu and Veit, Andreas and Kumar, Sanjiv}, title = {Long-Tail Learning via Logit Adjustment},
      booktitle = {International Conference on Learning Representations}, year = {2021}}"""

    tasks: ClassVar = ("classes",)
    tau: NonNegative = 1.0

    def __call__(self, logits: Tensor, target: Tensor, class_counts: Tensor) -> Tensor:
        counts = examples(class_counts, logits)
        adjusted = logits + self.tau * (counts / counts.sum()).log()
        return -adjusted.log_softmax(-1).gather(-1, target[:, None])[:, 0]


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [LogitAdjusted]
