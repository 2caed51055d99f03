"""Generalised cross-entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import torch

from harness import Loss, Only, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class GeneralizedCrossEntropy(Loss):
    """(1 - p_y^q) / q, between cross-entropy (q -> 0) and the smooth error 1 - p_y (q = 1) (Zhang & Sabuncu, 2018).

    [batch, classes], [batch] -> [batch] in [0, 1 / q]; p is softmax. Bounded, so that a wrong label costs only so much.
    """

    tasks: ClassVar = ("classes",)
    q: Annotated[float, Only(above=0, most=1)] = 0.7

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        log_p = torch.log_softmax(logits, -1).gather(-1, target[:, None])[:, 0]
        return -torch.expm1(self.q * log_p) / self.q  # not 1 - p^q: digits would be lost at small q and at p near 1


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [GeneralizedCrossEntropy]
