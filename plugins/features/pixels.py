"""The samples themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Feature, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


class Pixels(Feature):
    """Every value of a sample, flattened. samples [n, *shape] -> [n, d]; nothing is learned and nothing is rescaled."""

    def __call__(self, prepared: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return x.flatten(1)


@hookimpl
def components() -> list[type[Feature]]:
    """What this file brings."""
    return [Pixels]
