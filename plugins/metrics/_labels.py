"""What the multi-label metrics share: targets as indicators, decisions, NaN that is not hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def indicators(target: Tensor, like: Tensor) -> Tensor:
    """Targets [n, labels] as they are; class numbers [n] as one label each of those that `like` [n, labels] has."""
    if target.ndim == like.ndim:
        return target
    return target[:, None] == torch.arange(like.shape[-1], device=like.device)


def truth(target: Tensor, like: Tensor) -> Tensor:
    """Which labels an example has, bool [n, labels]: those with a target above 1/2."""
    return indicators(target, like) > 0.5


def decisions(logits: Tensor, target: Tensor, threshold: float) -> Tensor:
    """Which labels are predicted, bool [n, labels]: those above the threshold, or of classes the one with most."""
    return logits > threshold if target.ndim == logits.ndim else truth(logits.argmax(-1), logits)


def unless_nan(value: Tensor, logits: Tensor) -> Tensor:
    """The value, or NaN where any logit is NaN: a comparison would hide it."""
    return torch.where(logits.isnan().any(), torch.nan, value)


def mean_over(values: Tensor, kept: Tensor) -> Tensor:
    """The mean of those values that are kept, NaN where none is; the others may be NaN."""
    return torch.where(kept, values, 0.0).sum() / kept.sum()
