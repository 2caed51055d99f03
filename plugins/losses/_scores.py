"""Conversions of logits for losses: float32 or wider, and finite where sums need numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

FLOOR = -1e30
"""Replaces a logit of -inf: its exp is 0, 0 times it is 0, and sums and differences stay finite in float32."""


def wide(values: Tensor) -> Tensor:
    """The same values in float32 or wider."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def finite(logits: Tensor) -> Tensor:
    """Logits without -inf, in float32 or wider."""
    return wide(logits).clamp(min=FLOOR)


def divided(scores: Tensor, temperature: float | Tensor) -> Tensor:
    """Scores divided by a temperature, with the right gradient for the temperature beside masked classes (-inf) too."""
    if not isinstance(temperature, torch.Tensor):
        return scores / temperature
    masked = scores == -torch.inf  # otherwise the gradient of the temperature would be infinity times zero
    return (scores.masked_fill(masked, 0.0) / temperature).masked_fill(masked, -torch.inf)


def examples(class_counts: Tensor, logits: Tensor) -> Tensor:
    """Number of examples of each class, at least one, in the floating type of wide logits."""
    return class_counts.to(torch.promote_types(logits.dtype, torch.float32)).clamp(min=1)
