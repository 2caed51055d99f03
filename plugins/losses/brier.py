"""Brier score as a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from harness.stock.losses._over import Over

from harness import Loss, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Brier(Over):
    """sum_j (p_j - [j = y])^2, the squared distance between the prediction and the label (Brier, 1950).

    [batch, classes], [batch] -> [batch] in [0, 2]; p is `transform` of the logits.
    """

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        p: Tensor = self.transform(logits)
        # Not one_hot: it cannot be mapped over seeds.
        label = target[:, None] == torch.arange(p.shape[-1], device=p.device)
        return (p - label.to(p.dtype)).square().sum(-1)


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [Brier]
