"""Helpers of the multi-label losses: masked logits made finite, sums of exponentials beside a constant 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F

from harness import BenchError

from ._scores import finite

if TYPE_CHECKING:
    from torch import Tensor


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


def log1p_sum_exp(scores: Tensor) -> Tensor:
    """Value of log(1 + sum_i exp(s_i)), accurate also where the sum is tiny: [..., n] -> [...]."""
    return -F.logsigmoid(-scores.logsumexp(-1))
