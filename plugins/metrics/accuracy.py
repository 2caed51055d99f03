"""Accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Accuracy(Metric):
    """1 where the largest logit is the label's, else 0; the first class wins a tie. Higher is better; unbiased.

    logits [..., n, classes], target [..., n] -> [..., n]. Of a soft label [..., n, classes] the class with most counts,
    the first of equals. An example with a NaN logit gives NaN.
    """

    tasks: ClassVar = ("classes", "grouped")
    better: ClassVar[str] = "higher"

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        label = target.argmax(-1) if target.is_floating_point() else target
        right = (logits.argmax(-1) == label).to(logits.dtype)
        return torch.where(logits.isnan().any(-1), torch.nan, right)


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [Accuracy]
