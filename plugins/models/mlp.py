"""Multi-layer perceptron."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from harness import Count, Model, hookimpl


class MLP(Model):
    """Fully connected: `layers` hidden layers of `hidden` units with ReLU. [batch, inputs] -> [batch, outputs]."""

    hidden: Count = 64
    layers: Count = 1

    def build(self, inputs: int, outputs: int) -> nn.Module:
        """The untrained network, initialised as torch does by default."""
        widths = [inputs, *[self.hidden] * self.layers]
        body = [m for a, b in pairwise(widths) for m in (nn.Linear(a, b), nn.ReLU())]
        return nn.Sequential(*body, nn.Linear(widths[-1], outputs))


@hookimpl
def components() -> list[type[Model]]:
    """What this file brings."""
    return [MLP]
