"""Linear classifier."""

from __future__ import annotations

import math

from torch import nn

from harness import Model, hookimpl


class Linear(Model):
    """One affine map, logistic regression under cross-entropy.

    [batch, inputs] -> [batch, outputs]; an input of several dimensions is flattened first.
    """

    def build(self, inputs: int | tuple[int, ...], outputs: int) -> nn.Module:
        """The untrained layer, initialized as by default in torch."""
        if isinstance(inputs, int):
            return nn.Linear(inputs, outputs)
        return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(inputs), outputs))


@hookimpl
def components() -> list[type[Model]]:
    """The component classes of this module."""
    return [Linear]
