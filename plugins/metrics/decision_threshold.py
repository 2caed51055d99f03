"""Threshold at which the predicted class changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import BenchError, Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class DecisionThreshold(Metric):
    """Input at which the two logits of a linear model are equal.

    A description. inputs [n, 1], logits [n, 2] -> scalar in the unit of x, from the line through the outermost
    examples: exact for logits that are affine in x, outside the data as well as inside. Infinite or NaN where the
    predicted class never changes. Raises BenchError for other than one column and two classes.
    """

    tasks: ClassVar = ("classes",)
    higher_is_better: ClassVar[bool | None] = None

    def __call__(self, inputs: Tensor, logits: Tensor) -> Tensor:
        if inputs.shape[-1] != 1 or logits.shape[-1] != 2:
            raise BenchError("decision_threshold takes one column and two classes")
        x, f = inputs[:, 0].double(), logits.double().diff(dim=-1)[:, 0]
        ends = torch.stack([x.argmin(), x.argmax()])
        (a, b), (low, high) = x[ends], f[ends]
        crossing: Tensor = a - low * (b - a) / (high - low)
        return crossing


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [DecisionThreshold]
