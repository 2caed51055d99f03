"""Standardized logits, for `exact` and for the wrapper `scaled`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def standardized(logits: Tensor) -> Tensor:
    """Logits minus their mean over their deviation, both taken over batch and classes; gradients flow through both.

    The deviation has divisor n - 1. Logits that are equal up to rounding are only centered: a zero-initialized last
    layer would give 0 / 0. Masked classes (-inf) do not count and stay masked.
    """
    masked = logits == -torch.inf
    count = (~masked).sum()
    kept = logits.masked_fill(masked, 0.0)
    centered = (kept - kept.sum() / count).masked_fill(masked, 0.0)
    variance = centered.square().sum() / (count - 1).clamp(min=1)
    rounding = 16 * torch.finfo(logits.dtype).eps * kept.detach().abs().amax()
    # Choose before the root: its slope at 0 is infinite, and a choice after it would leave NaN in the gradient.
    std = torch.where(variance > rounding.square(), variance, 1.0).sqrt()
    return (centered / std).masked_fill(masked, -torch.inf)
