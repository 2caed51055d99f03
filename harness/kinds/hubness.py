"""Kind that compares points."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from harness.base import Component
from harness.errors import Skip

if TYPE_CHECKING:
    from torch import Tensor

    from harness.neighbors import Neighbors


class Dissimilarity(Component):
    """Dissimilarity of points: smaller is nearer, and only the order of the numbers counts.

    A secondary one depends on how points lie among the data: among y, of which the rows of x are no part, or among x
    where there is no y, each without itself.
    """

    kind: ClassVar[str] = "dissimilarity"

    @abstractmethod
    def __call__(self, x: Tensor, y: Tensor | None = None, /) -> Tensor:
        """Dissimilarities [n, m] of x [n, d] and y [m, d], or of x and itself where y is None."""

    def blocks(self, x: Tensor, y: Tensor | None = None) -> Iterator[Tensor]:
        """Rows of `self(x, y)`, in order, a few at a time [b, m]; all at once unless a class overrides it."""
        yield self(x, y)

    def nearest(self, data: Tensor, k: int, engine: str = "exact") -> Neighbors:
        """The k nearest others of each of the data [n, d]; of equally near ones the first.

        Raises Skip for an engine that cannot find them.
        """
        from harness.neighbors import k_smallest

        if engine != "exact":
            raise Skip(f"{engine} finds no neighbors by {self!r}")
        return k_smallest(self.blocks(data), k)
