"""The Fenchel-Young loss of sparsemax."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from harness import Loss, component, hookimpl

from ._scores import wide

if TYPE_CHECKING:
    from torch import Tensor


class SparsemaxLoss(Loss):
    """Fenchel-Young loss of sparsemax (Martins and Astudillo, 2016).

    <p, logits> + sum_j p_j (1 - p_j) / 2 - logit_y with p = sparsemax(logits). Logits [batch, classes], labels [batch]
    -> [batch], at least 0, and 0 exactly where p is the label: where its logit leads by 1. The gradient is p - [j = y],
    so it does not vanish where p_y = 0.
    """

    reference = r"""
    @inproceedings{martins2016sparsemax, author = {Martins, Andr{\'e} F. T. and Astudillo, Ram{\'o}n F.}, title =
      {From Softmax to Sparsemax: A Sparse Model of Attention and Multi-Label Classification}, booktitle =
      {International Conference on Machine Learning}, year = {2016}}"""

    tasks: ClassVar = ("classes",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        scores = wide(logits)
        p = self.probabilities(scores)
        gaps = torch.where(p > 0, scores - scores.gather(-1, target[:, None]), 0.0)
        value = (p * (gaps + (1 - p) / 2)).sum(-1)
        return value - value.detach().clamp(max=0.0)  # rounding alone makes it negative

    def probabilities(self, logits: Tensor) -> Tensor:
        """Probabilities of sparsemax, some of them 0."""
        p: Tensor = _sparsemax()(logits)
        return p


@functools.cache
def _sparsemax() -> Any:
    return component("transform", "sparsemax")


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [SparsemaxLoss]
