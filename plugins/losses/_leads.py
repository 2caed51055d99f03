"""How far the label leads each other class, for losses that are a sum over the alternatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from harness.stock.losses._scores import wide

if TYPE_CHECKING:
    from torch import Tensor


def over_alternatives(penalty: Callable[[Tensor], Tensor], logits: Tensor, target: Tensor) -> Tensor:
    """sum_{j != y} penalty(s_y - s_j), `penalty` acting elementwise; a masked class (-inf) is no alternative.

    [batch, classes], [batch] -> [batch]; float32 for half logits, since many classes leave the range of half precision.
    """
    scores = wide(logits)
    column = target[:, None]
    out = (scores == -torch.inf).scatter(-1, column, True)
    leads = (scores.gather(-1, column) - scores).masked_fill(out, 0.0)
    return penalty(leads).masked_fill(out, 0.0).sum(-1)
