"""Start from a cube."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import Prior, hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor


class Uniform(Prior):
    """Independent and uniform on [-sqrt 3, sqrt 3]: mean 0 and variance 1 as `normal` has, but no tails."""

    def draw(self, shape: Sequence[int], generator: Generator) -> Tensor:
        """Float32 draws of that shape."""
        return (2 * torch.rand(*shape, generator=generator) - 1) * 3**0.5


@hookimpl
def components() -> list[type[Prior]]:
    """What this file brings."""
    return [Uniform]
