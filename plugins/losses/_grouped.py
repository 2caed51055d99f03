"""Helpers of the losses on groups of items: labels as distributions, padding, masked classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import BenchError

from ._scores import finite

if TYPE_CHECKING:
    from torch import Tensor


def scores_and_labels(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Finite logits in float32 or wider, and labels as distributions; both [batch, items, classes].

    An item is padding where its class number is negative or its soft label is all zeros: its scores and labels become
    0, whatever its logits are. Soft labels must be at least 0 and sum to 1; this is not checked. Raises BenchError
    where shapes or types do not fit.
    """
    soft = target.is_floating_point()
    if logits.ndim != 3 or target.shape != (logits.shape if soft else logits.shape[:2]):
        raise BenchError(
            "a grouped loss takes logits [batch, items, classes] and class numbers [batch, items] or distributions "
            f"[batch, items, classes], got {tuple(logits.shape)} and {target.dtype} {tuple(target.shape)}"
        )
    exact = finite(logits)
    labels = target.to(exact.dtype) if soft else _one_hot(target, exact)
    return torch.where((labels == 0).all(-1, keepdim=True), 0.0, exact), labels


def _one_hot(target: Tensor, like: Tensor) -> Tensor:
    """One-hot labels [batch, items, classes]; zeros for padding.

    torch's `one_hot` cannot be mapped over seeds. A class number beyond the classes is still an error.
    """
    present = (target >= 0).to(like.dtype)[..., None]
    return torch.zeros_like(like).scatter(-1, target.clamp(min=0)[..., None], present)


def log_labels(labels: Tensor) -> Tensor:
    """Logarithms of the labels, -inf where a label is 0, without NaN in the gradient."""
    positive = labels > 0
    return torch.where(positive, torch.where(positive, labels, 1.0).log(), -torch.inf)


def per_class(log_penalties: Tensor) -> Tensor:
    """Sum over classes of log(1 + sum_i exp(penalty_ij)): [batch, items, classes] -> [batch]."""
    return torch.nn.functional.pad(log_penalties, (0, 0, 1, 0)).logsumexp(1).sum(-1)
