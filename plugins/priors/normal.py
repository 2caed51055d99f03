"""Standard normal start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import Prior, hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor


class Normal(Prior):
    """Independent standard normal values.

    The law of x_T once no signal is left: N(0, 1).
    """

    def draw(self, shape: Sequence[int], generator: Generator) -> Tensor:
        """Float32 draws of the given shape."""
        return torch.randn(*shape, generator=generator)


@hookimpl
def components() -> list[type[Prior]]:
    """The component classes of this module."""
    return [Normal]
