"""A data set: points and their classes."""

import torch
from torch import Generator

from harness import Dataset, Examples, NonNegative, PositiveInt, hookimpl


class Moons(Dataset):
    """Two interleaving half circles."""

    points: PositiveInt = 200
    noise: NonNegative = 0.1

    def load(self, generator: Generator) -> Examples:
        """Points [n, 2] and their classes [n]."""
        targets = torch.arange(self.points) % 2
        angles = torch.pi * torch.rand(self.points, generator=generator)
        sides = 1 - 2 * targets
        x = sides * angles.cos() + targets
        y = sides * angles.sin() + targets / 2
        noise = torch.randn(self.points, 2, generator=generator)
        inputs = torch.stack([x, y], 1) + self.noise * noise
        return Examples(inputs=inputs, targets=targets, classes=2)


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [Moons]
