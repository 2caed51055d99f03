"""Generalized cross-entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from annotated_types import Gt, Le

from harness import Loss, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class GeneralizedCrossEntropy(Loss):
    """Bounded cross-entropy, robust to wrong labels (Zhang and Sabuncu, 2018).

    (1 - p_y^q) / q with p the softmax: cross-entropy as q -> 0, the smooth error 1 - p_y at q = 1. Logits
    [batch, classes], labels [batch] -> [batch] in [0, 1 / q]. It is bounded, so the cost of a wrong label is limited.
    """

    reference = """
    @inproceedings{zhang2018generalized, author = {Zhang, Zhilu and Sabuncu, Mert R.}, title = {Generalized Cross
      Entropy Loss for Training Deep Neural Networks with Noisy Labels}, booktitle = {Advances in Neural
      Information Processing Systems}, year = {2018}}"""

    tasks: ClassVar = ("classes",)
    q: Annotated[float, Gt(0), Le(1)] = 0.7

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        log_p = torch.log_softmax(logits, -1).gather(-1, target[:, None])[:, 0]
        return -torch.expm1(self.q * log_p) / self.q  # not 1 - p^q, which loses digits at small q and at p near 1


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [GeneralizedCrossEntropy]
