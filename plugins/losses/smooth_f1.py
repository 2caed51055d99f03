"""Smooth F1 of single-label classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from harness.stock.losses._scores import wide

from harness import Loss, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class SmoothF1(Loss):
    """1 - the mean over classes of 2 sum(t p) / sum(t + p), F1 with softmax probabilities p as predictions (Su, 2019).

    [batch, classes], [batch] -> one number in [0, 1] for the whole batch, t being the one-hot labels; float32 for half
    logits. The mean is over the classes that occur in the batch, so that perfect predictions cost 0. It depends on what
    else is in the batch: small ones give another loss, not a noisier one.
    """

    tasks: ClassVar = ("classes",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        p = wide(logits).softmax(-1)
        label = target[:, None] == torch.arange(p.shape[-1], device=p.device)
        hits, positives = (p * label).sum(0), label.sum(0)
        f1 = 2 * hits / (positives + p.sum(0)).clamp(min=torch.finfo(p.dtype).tiny)
        return 1 - f1.sum() / (positives > 0).sum()  # hits, and so F1, are 0 for a class that does not occur


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [SmoothF1]
