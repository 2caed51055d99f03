"""Smooth F1 of single-label classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Loss, hookimpl

from ._scores import wide

if TYPE_CHECKING:
    from torch import Tensor


class SmoothF1(Loss):
    """One minus macro F1 of softmax probabilities over the batch (Su, 2019).

    1 - the mean over classes of 2 sum(t p) / sum(t + p), with softmax probabilities p as predictions and one-hot labels
    t. Logits [batch, classes], labels [batch] -> one number in [0, 1] for the whole batch; in float32 or wider. The
    mean is over the classes that occur in the batch, so that perfect predictions cost 0. The value depends on the other
    examples of the batch: small batches give another loss, not a noisier one.
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
    """The component classes of this module."""
    return [SmoothF1]
