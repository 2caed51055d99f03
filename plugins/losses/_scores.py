"""Logits as losses compute on them: in float32 or wider, and without infinities where sums need numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

FLOOR = -1e30
"""Stands for a logit of -inf: its exp is 0, times 0 it is 0, and sums and differences stay numbers in float32."""


def wide(values: Tensor) -> Tensor:
    """The same in float32 or wider."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def finite(logits: Tensor) -> Tensor:
    """Logits without -inf, in float32 or wider."""
    return wide(logits).clamp(min=FLOOR)


def divided(scores: Tensor, temperature: float | Tensor) -> Tensor:
    """Scores over a temperature, of which the gradient is right beside masked classes, -inf, too."""
    if not isinstance(temperature, torch.Tensor):
        return scores / temperature
    masked = scores == -torch.inf  # it would make the gradient of the temperature infinity times zero
    return (scores.masked_fill(masked, 0.0) / temperature).masked_fill(masked, -torch.inf)


def examples(class_counts: Tensor, logits: Tensor) -> Tensor:
    """How many examples a class has, at least one, in the type that wide logits have."""
    return class_counts.to(torch.promote_types(logits.dtype, torch.float32)).clamp(min=1)
