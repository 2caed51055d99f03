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


def decisions(logits: Tensor, target: Tensor, threshold: float, scores: Tensor | None = None) -> Tensor:
    """Mask of the predicted labels, bool [n, labels]: those above the threshold, or the largest one for classes.

    Where there are `scores` they decide; of equally large ones each is predicted by its share, so the result is a
    number in [0, 1].
    """
    if target.ndim == logits.ndim:
        return (logits if scores is None else scores) > threshold
    if scores is None:
        return truth(logits.argmax(-1), logits)
    top = scores == scores.amax(-1, keepdim=True)
    return top / top.sum(-1, keepdim=True)


def hits(logits: Tensor, label: Tensor, scores: Tensor | None = None) -> Tensor:
    """Correctness of the answers [...], 0 or 1, from logits [..., n] and class numbers [...].

    The largest logit answers, the first of equal ones. Where there are `scores` they answer; of equally large ones each
    does by its share, 1/2 for two.
    """
    if scores is None:
        return (logits.argmax(-1) == label).to(logits.dtype)
    top = scores == scores.amax(-1, keepdim=True)
    of_label = label[..., None] == torch.arange(scores.shape[-1], device=scores.device)
    return (top & of_label).any(-1) / top.sum(-1)


def unless_nan(value: Tensor, *logits: Tensor | None) -> Tensor:
    """The value, or NaN where any logit or score is NaN, which a comparison would hide."""
    for each in logits:
        if each is not None:
            value = torch.where(each.isnan().any(), torch.nan, value)
    return value


def mean_over(values: Tensor, kept: Tensor) -> Tensor:
    """Mean of the values that are kept, NaN where none is; the others may be NaN."""
    return torch.where(kept, values, 0.0).sum() / kept.sum()
