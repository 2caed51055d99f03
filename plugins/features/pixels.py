"""Values of the samples themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Feature, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


class Pixels(Feature):
    """Values of a sample, flattened.

    samples [n, *shape] -> [n, d]; nothing is learned or rescaled.
    """

    def __call__(self, prepared: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return x.flatten(1)


@hookimpl
def components() -> list[type[Feature]]:
    """The component classes of this module."""
    return [Pixels]
