"""Normal start as near to its mean as another prior's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import Prior, call, hookimpl, named

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Generator, Tensor


class TruncatedLike(Prior):
    """Normal draws, all scaled by the one factor that gives them the mean norm of another prior's draws.

    The control for a prior that draws near the mean: what it does that this does not, its norms do not explain. As
    many draws of the other are made and used for nothing else; the normal ones are those of `normal`.
    """

    prior: Prior = named("hub")

    def draw(self, shape: Sequence[int], generator: Generator, report: Callable[..., None] = lambda *_: None) -> Tensor:
        """Float32 draws of that shape."""
        x = torch.randn(*shape, generator=generator)
        other = call(self.prior.draw, shape, generator, report=report)
        norm, wanted = (part.flatten(1).norm(dim=1).mean() for part in (x, other))
        return x * (wanted / norm)


@hookimpl
def components() -> list[type[Prior]]:
    """What this file brings."""
    return [TruncatedLike]
