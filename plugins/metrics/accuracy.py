"""Accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Accuracy(Metric):
    """Share of examples whose largest logit is the label's.

    1 for each such example, else 0; the first class wins a tie. Higher is better; unbiased. logits [..., n, classes],
    target [..., n] -> [..., n]. The class of a soft label [..., n, classes] is its largest entry, the first of equal
    ones. An example with a NaN logit gives NaN.
    """

    tasks: ClassVar = ("classes", "grouped")
    higher_is_better: ClassVar[bool | None] = True

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        label = target.argmax(-1) if target.is_floating_point() else target
        right = (logits.argmax(-1) == label).to(logits.dtype)
        return torch.where(logits.isnan().any(-1), torch.nan, right)


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [Accuracy]
