"""Helpers of the multi-label metrics: targets as indicators, decisions, NaN that is not hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def indicators(target: Tensor, like: Tensor) -> Tensor:
    """Targets [n, labels] as they are; class numbers [n] as one-hot rows as wide as `like` [n, labels]."""
    if target.ndim == like.ndim:
        return target
    return target[:, None] == torch.arange(like.shape[-1], device=like.device)


def truth(target: Tensor, like: Tensor) -> Tensor:
    """Mask of the labels that an example has, bool [n, labels]: those with a target above 1/2."""
    return indicators(target, like) > 0.5


def decisions(logits: Tensor, target: Tensor, threshold: float) -> Tensor:
    """Mask of the predicted labels, bool [n, labels]: those above the threshold, or the largest one for classes."""
    return logits > threshold if target.ndim == logits.ndim else truth(logits.argmax(-1), logits)


def unless_nan(value: Tensor, logits: Tensor) -> Tensor:
    """The value, or NaN where any logit is NaN, which a comparison would hide."""
    return torch.where(logits.isnan().any(), torch.nan, value)


def mean_over(values: Tensor, kept: Tensor) -> Tensor:
    """Mean of the values that are kept, NaN where none is; the others may be NaN."""
    return torch.where(kept, values, 0.0).sum() / kept.sum()
