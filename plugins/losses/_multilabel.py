"""What the multi-label losses share: masked logits made finite, sums of exponentials beside a constant 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from harness import BenchError

if TYPE_CHECKING:
    from torch import Tensor

FLOOR = -1e30
"""Stands for a logit of -inf: its exp is 0, times 0 it is 0, and sums over labels stay numbers in float32."""


def scores_and_targets(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Logits without -inf and targets, both [batch, labels] in float32 or wider.

    Raises BenchError where the shapes differ: class numbers [batch] would be broadcast.
    """
    if target.shape != logits.shape:
        raise BenchError(
            "a multi-label loss takes logits and target of one shape [batch, labels], "
            f"got {tuple(logits.shape)} and {tuple(target.shape)}"
        )
    scores = finite(logits)
    return scores, target.to(scores.dtype)


def finite(logits: Tensor) -> Tensor:
    """Logits without -inf, in float32 or wider."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32)).clamp(min=FLOOR)


def log1p_sum_exp(scores: Tensor) -> Tensor:
    """log(1 + sum_i exp(s_i)), to all digits where the sum is tiny: [..., n] -> [...]."""
    return -F.logsigmoid(-scores.logsumexp(-1))
