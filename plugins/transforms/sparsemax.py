"""Sparsemax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from harness import Transform, hookimpl

from ._along import Along
from ._own import by_rows

if TYPE_CHECKING:
    from torch import Tensor


class Sparsemax(Along):
    """Distribution nearest to the logits (Martins and Astudillo, 2016).

    max(logit_i - tau, 0) with tau such that they sum to 1. Logits [..., n] -> probabilities [..., n]. Distant classes
    get exactly 0 and no gradient: train it with `sparsemax_loss`, not `nll`.
    """

    reference = r"""
    @inproceedings{martins2016sparsemax, author = {Martins, Andr{\'e} F. T. and Astudillo, Ram{\'o}n F.}, title =
      {From Softmax to Sparsemax: A Sparse Model of Attention and Multi-Label Classification}, booktitle =
      {International Conference on Machine Learning}, year = {2016}}"""

    def probabilities(self, rows: Tensor) -> Tensor:
        """Probabilities, [r, n] -> [r, n]; their gradient is projected to sum to 0 on the support."""
        inside = _Support.apply(rows)
        threshold = (torch.where(inside, rows, 0.0).sum(-1, keepdim=True) - 1) / inside.sum(-1, keepdim=True)
        return torch.where(inside, rows - threshold, 0.0).clamp(min=0.0)


def _support(rows: Tensor) -> Tensor:
    """Support by Newton's method on the threshold (Michelot, 1986), which ascends to the root and ends there exactly.

    It takes about log2 n passes over the row, and no sort.
    """
    threshold = torch.full_like(rows[..., :1], -1.0)
    while True:
        inside = rows > threshold
        mean = torch.where(inside, rows, 0.0).sum(-1, keepdim=True) - 1
        before, threshold = threshold, torch.maximum(threshold, mean / inside.sum(-1, keepdim=True))
        if torch.equal(before, threshold):
            return inside


class _Support(torch.autograd.Function):
    """Mask of the positive entries of sparsemax, from rows whose largest entry is 0."""

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
    """The component classes of this module."""
    return [Sparsemax]
