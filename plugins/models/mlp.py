"""Multi-layer perceptron."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import nn

from harness import Model, PositiveInt, hookimpl


class MLP(Model):
    """Fully connected network with ReLU.

    `layers` hidden layers of `hidden` units. [batch, inputs] -> [batch, outputs]; an input of several dimensions is
    flattened first.
    """

    hidden: PositiveInt = 64
    layers: PositiveInt = 1

    def build(self, inputs: int | tuple[int, ...], outputs: int) -> nn.Module:
        """The untrained network, initialized as by default in torch."""
        first = [] if isinstance(inputs, int) else [nn.Flatten()]
        widths = [inputs if isinstance(inputs, int) else math.prod(inputs), *[self.hidden] * self.layers]
        body = [m for a, b in pairwise(widths) for m in (nn.Linear(a, b), nn.ReLU())]
        return nn.Sequential(*first, *body, nn.Linear(widths[-1], outputs))


@hookimpl
def components() -> list[type[Model]]:
    """The component classes of this module."""
    return [MLP]
