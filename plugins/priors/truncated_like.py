"""Normal start as near to its mean as that of another prior."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Prior, hookimpl, named

from ._norms import beside

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
        x, norms, wanted = beside(self.prior, shape, generator, on_progress)
        scaled: Tensor = x * (wanted.mean() / norms.mean())
        return scaled


@hookimpl
def components() -> list[type[Prior]]:
    """The component classes of this module."""
    return [TruncatedLike]
