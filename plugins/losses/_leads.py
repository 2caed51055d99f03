"""Margins of the label over each other class, for losses that are a sum over the other classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from ._scores import wide

if TYPE_CHECKING:
    from torch import Tensor


def over_alternatives(penalty: Callable[[Tensor], Tensor], logits: Tensor, target: Tensor) -> Tensor:
    """Sum of `penalty`(s_y - s_j) over the classes j other than the label y: [batch, classes], [batch] -> [batch].

    `penalty` acts elementwise. A masked class (-inf) is left out. Computed in float32 or wider, since the sum over many
    classes exceeds the range of float16.
    """
    scores = wide(logits)
    column = target[:, None]
    out = (scores == -torch.inf).scatter(-1, column, True)
    leads = (scores.gather(-1, column) - scores).masked_fill(out, 0.0)
    return penalty(leads).masked_fill(out, 0.0).sum(-1)
