"""One minus F1 of probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import torch

from harness import Loss, hookimpl

from ._multilabel import scores_and_targets

if TYPE_CHECKING:
    from torch import Tensor


class SoftF1(Loss):
    """One minus F1 with probabilities in place of decisions.

    1 - 2 sum t p / sum (t + p) with p = sigmoid(logits), in [0, 1]. Logits [batch, labels], target in [0, 1]
    [batch, labels] -> [batch] where `average` is `samples` (sums over the labels of an example), a scalar where it is
    `macro` (sums over the batch for each label, then their mean) or `micro` (sums over both). Without a positive target
    in a sum it is 1 and has no gradient: an example without labels has a gradient only under `macro` or `micro`.
    """

    average: Literal["samples", "macro", "micro"] = "samples"
    tasks: ClassVar = ("multilabel",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        s, t = scores_and_targets(logits, target)
        p = s.sigmoid()
        over = {"samples": [-1], "macro": [0], "micro": [0, 1]}[self.average]
        overlap, total = (t * p).sum(over), (t + p).sum(over)
        loss: Tensor = 1 - 2 * overlap / torch.where(total > 0, total, 1.0)
        return loss.mean() if self.average == "macro" else loss


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [SoftF1]
