"""Clouds of points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Dataset, Examples, PositiveInt, Prior, hookimpl, named

if TYPE_CHECKING:
    from torch import Generator


class Cloud(Dataset):
    """Independent points drawn from a prior.

    `examples` rows of `dim` columns from `prior`: normal, uniform, or any other. The class of a point is whether its
    first coordinate is above 0; under independent coordinates the others carry no information about it.
    """

    prior: Prior = named("normal")
    dim: PositiveInt
    examples: PositiveInt = 1000

    def load(self, generator: Generator) -> Examples:
        """A draw of the whole table."""
        inputs = self.prior.draw((self.examples, self.dim), generator)
        return Examples(inputs=inputs, targets=(inputs[:, 0] > 0).long(), classes=2)


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [Cloud]
