"""Standardised logits, for EXACT and for the wrapper that gives them to any loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def standardized(logits: Tensor) -> Tensor:
    """(s - mean) / std with one mean and one std (n - 1) over batch and classes; gradients flow through both.

    Logits that are all equal, up to rounding, are only centred: 0 / 0 otherwise, at a zero-initialised last layer.
    Masked classes (-inf) do not count and stay masked.
    """
    masked = logits == -torch.inf
    count = (~masked).sum()
    kept = logits.masked_fill(masked, 0.0)
    centred = (kept - kept.sum() / count).masked_fill(masked, 0.0)
    variance = centred.square().sum() / (count - 1)
    rounding = 16 * torch.finfo(logits.dtype).eps * kept.detach().abs().amax()
    # The root of what is chosen: the slope of the root at 0 is infinite, and a choice after it would come too late.
    std = torch.where(variance > rounding.square(), variance, 1.0).sqrt()
    return (centred / std).masked_fill(masked, -torch.inf)
