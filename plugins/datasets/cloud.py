"""Clouds of points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Count, Data, Dataset, Prior, hookimpl, named

if TYPE_CHECKING:
    from torch import Generator


class Cloud(Dataset):
    """Independent points of a prior in `dim` dimensions: normal, uniform, or any other that is there.

    `examples` rows of `dim` columns; the class of a point is whether its first coordinate is above 0, which under
    independent coordinates none of the others knows anything about.
    """

    prior: Prior = named("normal")
    dim: Count
    examples: Count = 1000

    def load(self, generator: Generator) -> Data:
        """A draw of the whole table."""
        inputs = self.prior.draw((self.examples, self.dim), generator)
        return Data(inputs=inputs, targets=(inputs[:, 0] > 0).long(), classes=2)


@hookimpl
def components() -> list[type[Dataset]]:
    """What this file brings."""
    return [Cloud]
