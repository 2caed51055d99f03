"""Normal start shrunk towards its mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import Prior, Unit, hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor


class Truncated(Prior):
    """psi times a normal draw: the truncation of latents towards their mean (Karras et al., 2019, appendix B).

    psi = 1 is `normal`, draw for draw; psi = 0 is the mean alone. Nothing is cut off, for all the name says.
    """

    psi: Unit = 0.7

    def draw(self, shape: Sequence[int], generator: Generator) -> Tensor:
        """Float32 draws of that shape."""
        return self.psi * torch.randn(*shape, generator=generator)


@hookimpl
def components() -> list[type[Prior]]:
    """What this file brings."""
    return [Truncated]
