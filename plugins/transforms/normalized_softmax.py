"""Softmax of standardized logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import Positive, Transform, hookimpl

from ._along import Along
from ._argmax import log_softmax

if TYPE_CHECKING:
    from torch import Tensor


class NormalizedSoftmax(Along):
    """Softmax of logits standardized over the classes of each example.

    softmax(gain * (logit - mean) / (std + eps)) with mean and std over the classes of each example. Logits [..., n] ->
    probabilities [..., n]. A constant added to the logits changes nothing, nor, but for `eps`, does a positive factor;
    so no probability exceeds a limit set by `gain` and n. std divides by n; masked classes are not counted; equal
    logits give equal probabilities.
    """

    gain: Positive = 1.0
    eps: Positive = 1e-4

    def probabilities(self, rows: Tensor) -> Tensor:
        """Probabilities: [r, n] -> [r, n]."""
        return self._standardized(rows).softmax(-1)

    def log_probabilities(self, rows: Tensor) -> Tensor:
        """Log-probabilities: [r, n] -> [r, n]."""
        return log_softmax(self._standardized(rows))

    def _standardized(self, rows: Tensor) -> Tensor:
        inside = rows > -torch.inf
        count = inside.sum(-1, keepdim=True)
        values = torch.where(inside, rows, 0.0)
        centered = torch.where(inside, values - values.sum(-1, keepdim=True) / count, 0.0)
        largest = centered.detach().abs().amax(-1, keepdim=True)
        unit = torch.where(largest > 0, largest, 1.0)  # after division by it, squares neither overflow nor underflow
        variance = (centered / unit).square().sum(-1, keepdim=True) / count
        # Where all logits are equal the derivative of the root is infinite, but the centered logits are 0 there.
        std = torch.where(largest > 0, torch.where(largest > 0, variance, 1.0).sqrt() * unit, 0.0)
        return torch.where(inside, self.gain * (centered / (std + self.eps)), -torch.inf)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [NormalizedSoftmax]
