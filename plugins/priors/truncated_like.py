"""Normal start as near to its mean as that of another prior."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import Prior, call_with_inputs, hookimpl, named

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Generator, Tensor


class TruncatedLike(Prior):
    """Normal draws scaled to the mean norm of another prior's draws.

    All are scaled by one factor. It is the control for a prior that draws near the mean: a difference between the two
    is not explained by the norms. As many draws of the other prior are made and used for nothing else; the normal ones
    are those of `normal`.
    """

    prior: Prior = named("hub")

    def draw(
        self, shape: Sequence[int], generator: Generator, on_progress: Callable[..., None] = lambda *_: None
    ) -> Tensor:
        """Float32 draws of the given shape."""
        x = torch.randn(*shape, generator=generator)
        other: Tensor = call_with_inputs(self.prior.draw, shape, generator, on_progress=on_progress)
        norm, wanted = (part.flatten(1).norm(dim=1).mean() for part in (x, other))
        scaled: Tensor = x * (wanted / norm)
        return scaled


@hookimpl
def components() -> list[type[Prior]]:
    """The component classes of this module."""
    return [TruncatedLike]
