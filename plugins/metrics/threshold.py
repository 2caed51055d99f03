"""Where the answer flips."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import BenchError, Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Threshold(Metric):
    """The x at which the two logits of a linear model are equal. A description.

    inputs [n, 1], logits [n, 2] -> scalar in the unit of x, from the line through the outermost examples: exact for
    logits that are affine in x, and outside the data as well as inside. Infinite or NaN where the answer never flips.
    Raises BenchError for other than one column and two classes.
    """

    tasks: ClassVar = ("classes",)
    better: ClassVar[str | None] = None

    def __call__(self, inputs: Tensor, logits: Tensor) -> Tensor:
        if inputs.shape[-1] != 1 or logits.shape[-1] != 2:
            raise BenchError("threshold: takes one column and two classes")
        x, f = inputs[:, 0].double(), logits.double().diff(dim=-1)[:, 0]
        ends = torch.stack([x.argmin(), x.argmax()])
        (a, b), (low, high) = x[ends], f[ends]
        return a - low * (b - a) / (high - low)


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [Threshold]
