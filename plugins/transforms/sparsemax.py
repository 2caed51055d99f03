"""Sparsemax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from harness.stock.transforms._along import Along
from harness.stock.transforms._own import by_rows

from harness import Transform, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Sparsemax(Along):
    """The distribution nearest to the logits, max(logit_i - tau, 0), tau such that they sum to 1.

    [..., n] -> [..., n] (Martins & Astudillo, 2016). Far classes get exactly 0 and no gradient: train it with
    `sparsemax_loss`, not `nll`.
    """

    def probabilities(self, rows: Tensor) -> Tensor:
        """[r, n] -> [r, n]; the gradient of p is the projection that sums to 0 on the support."""
        inside = _Support.apply(rows)
        threshold = (torch.where(inside, rows, 0.0).sum(-1, keepdim=True) - 1) / inside.sum(-1, keepdim=True)
        return torch.where(inside, rows - threshold, 0.0).clamp(min=0.0)


def _support(rows: Tensor) -> Tensor:
    """Newton's method on the threshold (Michelot, 1986): it ascends to the root and ends there exactly.

    That takes about as many passes over the row as log2 n, and no sort.
    """
    threshold = torch.full_like(rows[..., :1], -1.0)
    while True:
        inside = rows > threshold
        mean = torch.where(inside, rows, 0.0).sum(-1, keepdim=True) - 1
        before, threshold = threshold, torch.maximum(threshold, mean / inside.sum(-1, keepdim=True))
        if torch.equal(before, threshold):
            return inside


class _Support(torch.autograd.Function):
    """Where sparsemax is above 0, from rows whose largest entry is 0."""

    @staticmethod
    def forward(rows: Tensor) -> Tensor:
        return by_rows(_support, rows).view(rows.shape)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> None:
        return None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int], rows: Tensor) -> tuple[Tensor, int]:
        return _Support.apply(rows.movedim(in_dims[0], 0)), 0


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [Sparsemax]
