"""Exact matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

from ._labels import decisions, hits, truth

if TYPE_CHECKING:
    from torch import Tensor


class SubsetAccuracy(Metric):
    """Share of examples with every label right.

    1 for each such example, else 0: exact match. Higher is better; unbiased. logits [n, labels], target [n, labels] ->
    [n]; labels with a logit above `threshold` are predicted, as in `f1_micro`. Class numbers [n] are accepted too; then
    the value is the accuracy. An example with a NaN logit gives NaN.
    """

    threshold: float = 0.0
    tasks: ClassVar = ("classes", "multilabel")
    higher_is_better: ClassVar[bool | None] = True

    def __call__(self, logits: Tensor, target: Tensor, scores: Tensor | None = None) -> Tensor:
        if target.ndim == logits.ndim:
            right = (decisions(logits, target, self.threshold, scores) == truth(target, logits)).all(-1)
        else:
            right = hits(logits, target, scores)
        lost = (logits if scores is None else scores).isnan().any(-1)
        return torch.where(lost, torch.nan, right.to(logits.dtype))


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [SubsetAccuracy]
