"""Linear classifier."""

from __future__ import annotations

from torch import nn

from harness import Model, hookimpl


class Linear(Model):
    """One affine map, logistic regression under cross-entropy.

    [batch, inputs] -> [batch, outputs].
    """

    def build(self, inputs: int, outputs: int) -> nn.Module:
        """The untrained layer, initialized as by default in torch."""
        return nn.Linear(inputs, outputs)


@hookimpl
def components() -> list[type[Model]]:
    """The component classes of this module."""
    return [Linear]
