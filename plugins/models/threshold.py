"""A threshold on a line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from harness import BenchError, Model, NonNegative, Positive, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Threshold(Model):
    """Trained threshold on a line, for two classes.

    Logits (0, slope (x - b)) with the threshold b trained from 0: [batch, 1] -> [batch, 2]. With a `spread`, in the
    unit of x, b starts at a normal draw with this deviation instead, another for every seed. The slope is fixed, or
    trained from `slope` through its logarithm with `learn_slope`, so that it stays positive. Raises BenchError for
    other than one column and two classes.
    """

    slope: Positive = 1.0
    learn_slope: bool = False
    spread: NonNegative = 0.0

    def build(self, inputs: int | tuple[int, ...], outputs: int) -> nn.Module:
        """The untrained threshold."""
        if (inputs, outputs) != (1, 2):
            raise BenchError(f"threshold takes one column and two classes, not {inputs} and {outputs}")
        return _Threshold(self.spread * torch.randn(1), self.slope, self.learn_slope)


class _Threshold(nn.Module):
    def __init__(self, threshold: Tensor, slope: float, learned: bool) -> None:
        super().__init__()
        self.threshold = nn.Parameter(threshold)
        self.log_slope = nn.Parameter(torch.tensor([math.log(slope)]), requires_grad=learned)

    def forward(self, x: Tensor) -> Tensor:
        f = self.log_slope.exp() * (x - self.threshold)
        return torch.cat([torch.zeros_like(f), f], -1)


@hookimpl
def components() -> list[type[Model]]:
    """The component classes of this module."""
    return [Threshold]
