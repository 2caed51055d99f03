"""Accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

from ._labels import hits

if TYPE_CHECKING:
    from torch import Tensor


class Accuracy(Metric):
    """Share of examples whose most probable class is the label's.

    1 for each such example, else 0. Higher is better; unbiased. logits [..., n, classes], target [..., n] -> [..., n].
    The largest logit answers, and the first class wins a tie, unless the loss declares other probabilities than the
    softmax: then the largest of its `scores` answers, and m equal ones count 1/m. The class of a soft label
    [..., n, classes] is its largest entry, the first of equal ones. An example with a NaN logit gives NaN.
    """

    tasks: ClassVar = ("classes", "grouped")
    higher_is_better: ClassVar[bool | None] = True

    def __call__(self, logits: Tensor, target: Tensor, scores: Tensor | None = None) -> Tensor:
        label = target.argmax(-1) if target.is_floating_point() else target
        lost = (logits if scores is None else scores).isnan().any(-1)
        return torch.where(lost, torch.nan, hits(logits, label, scores))


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [Accuracy]
