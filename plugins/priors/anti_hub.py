"""Start from antihubs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from harness import PositiveInt, Prior, hookimpl

from ._counted import kept

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Generator, Tensor


class AntiHub(Prior):
    """Normal draws that are neighbors of few others or of none.

    Keeps the draws that are among the `k` nearest of `most` others or fewer: the opposite choice of `hub`, for asking
    whether quality rises with N_k. Batches of `batch` points are drawn until enough are kept; a point's neighbors are
    those of its own batch, itself left out. Nothing is moved or scaled. Antihubs lie farther from the mean than other
    draws. Raises BenchError where five batches have none.
    """

    k: PositiveInt = 5
    most: Annotated[int, Ge(0)] = 0
    batch: PositiveInt = 10000

    def draw(
        self, shape: Sequence[int], generator: Generator, on_progress: Callable[..., None] = lambda *_: None
    ) -> Tensor:
        """Float32 draws of the given shape."""
        return kept(
            shape, generator, self.batch, self.k, lambda counts: counts <= self.most, self._missing, on_progress
        )

    def _missing(self, drawn: int, dimensions: int, counts: Tensor) -> str:
        return (
            f"{self!r} keeps no points: of {drawn:,} points in {dimensions} dimensions every one is a neighbor of "
            f"{int(counts.min())} others or more; raise most from {self.most}"
        )


@hookimpl
def components() -> list[type[Prior]]:
    """The component classes of this module."""
    return [AntiHub]
