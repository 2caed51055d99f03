"""Random directions with the norms of another prior."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Prior, hookimpl, named

from ._norms import beside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Generator, Tensor


class NormsLike(Prior):
    """Normal draws rescaled one by one to the norms of another prior's draws.

    Directions are those of `normal`, norms those of `prior`, paired at random. It is the control for a prior whose
    choice does not depend on directions: by symmetry a single draw of `hub` has a uniform direction, independent of its
    norm, so that it has the same law as a single draw from here. Only the dependence between draws of a batch differs.
    """

    prior: Prior = named("hub")

    def draw(
        self, shape: Sequence[int], generator: Generator, on_progress: Callable[..., None] = lambda *_: None
    ) -> Tensor:
        """Float32 draws of the given shape."""
        x, norms, wanted = beside(self.prior, shape, generator, on_progress)
        scaled: Tensor = x * (wanted / norms).view(-1, *[1] * (x.ndim - 1))
        return scaled


@hookimpl
def components() -> list[type[Prior]]:
    """The component classes of this module."""
    return [NormsLike]
