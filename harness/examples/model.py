"""A model: an untrained network."""

from torch import nn

from harness import Model, PositiveInt, hookimpl


class OneHiddenLayer(Model):
    """A network with one hidden layer of tanh units."""

    width: PositiveInt = 16

    def build(self, inputs: int, outputs: int) -> nn.Module:
        """The network: [n, inputs] -> logits [n, outputs]."""
        hidden, last = nn.Linear(inputs, self.width), nn.Linear(self.width, outputs)
        return nn.Sequential(hidden, nn.Tanh(), last)


@hookimpl
def components() -> list[type[Model]]:
    """The component classes of this module."""
    return [OneHiddenLayer]
