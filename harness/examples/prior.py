"""A prior: the distribution of the start of sampling."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from harness import Positive, Prior, hookimpl


class Scaled(Prior):
    """Normal values times a factor."""

    factor: Positive = 0.9

    def draw(self, shape: Sequence[int], generator: Generator) -> Tensor:
        """Float32 draws of the given shape, [n, ...]."""
        return self.factor * torch.randn(*shape, generator=generator)


@hookimpl
def components() -> list[type[Prior]]:
    """The component classes of this module."""
    return [Scaled]
