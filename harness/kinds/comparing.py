"""What compares points."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from harness.base import Component
from harness.errors import Skip

if TYPE_CHECKING:
    from torch import Tensor

    from harness.neighbours import Neighbours


class Dissimilarity(Component):
    """How unlike points are: smaller is nearer, and nothing else about the numbers counts.

    A secondary one judges by how points lie among the data: among y, of which the rows of x are no part, or among x
    where there is no y, each without itself.
    """

    kind: ClassVar[str] = "dissimilarity"

    @abstractmethod
    def __call__(self, *args: Any, **inputs: Any) -> Any:
        """(x [n, d], y [m, d] or None for x itself) -> [n, m]."""

    def blocks(self, x: Tensor, y: Tensor | None = None) -> Iterator[Tensor]:
        """The rows of `self(x, y)`, in order, a few at a time [b, m]; all at once, unless a class does better."""
        yield self(x, y)

    def nearest(self, data: Tensor, k: int, engine: str = "exact") -> Neighbours:
        """The k nearest others of each of the data [n, d]; of equally near ones the first.

        Raises Skip for an engine that cannot find them.
        """
        from harness.neighbours import smallest

        if engine != "exact":
            raise Skip(f"{engine} finds no neighbours by {self!r}")
        return smallest(self.blocks(data), k)
