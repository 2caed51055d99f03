"""Two classes: the difference of two noises decides, and its distribution function is known for most laws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ._along import clean

if TYPE_CHECKING:
    from torch import Tensor

    from ._law import Law


def pair(rows: Tensor, law: Law, relative: bool) -> Tensor:
    """Probabilities or, `relative`, log-probabilities [..., 2] of rows [..., 2], for a law that has `log_behind`."""
    whole, poison = clean(rows)
    masked = whole == -torch.inf
    whole = whole.double().masked_fill(masked, 0.0)
    ahead = whole - whole.flip(-1)
    behind = law.log_behind(-ahead.clamp(max=0.0))
    log_p = torch.where(ahead <= 0, behind, torch.log1p(-law.log_behind(ahead.clamp(min=0.0)).exp()))
    log_p = log_p.masked_fill(masked, -torch.inf).masked_fill(masked.flip(-1) & ~masked, 0.0)
    return ((log_p if relative else log_p.exp()) * poison).to(rows.dtype)
