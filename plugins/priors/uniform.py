"""Start from a cube."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import Prior, hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor


class Uniform(Prior):
    """Independent uniform values with mean 0 and variance 1.

    Uniform on [-sqrt 3, sqrt 3]: the moments of `normal`, but no tails.
    """

    def draw(self, shape: Sequence[int], generator: Generator) -> Tensor:
        """Float32 draws of the given shape."""
        return (2 * torch.rand(*shape, generator=generator) - 1) * 3**0.5


@hookimpl
def components() -> list[type[Prior]]:
    """The component classes of this module."""
    return [Uniform]
