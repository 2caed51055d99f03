"""Softmax of standardised logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from harness.stock.transforms._along import Along
from harness.stock.transforms._argmax import log_softmax

from harness import Positive, Transform, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class NormalizedSoftmax(Along):
    """softmax(gain * (logit - mean) / (std + eps)), mean and std over the classes of each example.

    [..., n] -> [..., n]. Unchanged by a constant added to the logits and, but for `eps`, by a positive factor, so no
    probability exceeds what `gain` and n allow. std divides by n; masked classes are not counted; equal logits give
    equal probabilities.
    """

    gain: Positive = 1.0
    eps: Positive = 1e-4

    def probabilities(self, rows: Tensor) -> Tensor:
        """[r, n] -> [r, n]."""
        return self._standardised(rows).softmax(-1)

    def log_probabilities(self, rows: Tensor) -> Tensor:
        """[r, n] -> [r, n]."""
        return log_softmax(self._standardised(rows))

    def _standardised(self, rows: Tensor) -> Tensor:
        inside = rows > -torch.inf
        count = inside.sum(-1, keepdim=True)
        values = torch.where(inside, rows, 0.0)
        centred = torch.where(inside, values - values.sum(-1, keepdim=True) / count, 0.0)
        largest = centred.detach().abs().amax(-1, keepdim=True)
        unit = torch.where(largest > 0, largest, 1.0)  # squares of what was divided by it neither over- nor underflow
        variance = (centred / unit).square().sum(-1, keepdim=True) / count
        # Where all logits are equal the derivative of the root is infinite, but the centred logits are 0 there.
        std = torch.where(largest > 0, torch.where(largest > 0, variance, 1.0).sqrt() * unit, 0.0)
        return torch.where(inside, self.gain * (centred / (std + self.eps)), -torch.inf)


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [NormalizedSoftmax]
