"""Start from hubs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import BenchError, PositiveInt, Prior, hookimpl, k_nearest, k_occurrence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Generator, Tensor

PATIENCE = 5
"""Number of batches without a hub after which the search ends."""


class Hub(Prior):
    """Normal draws that are neighbors of many others (Liang et al., 2022).

    Keeps the draws that are among the `k` nearest of `threshold` others or more. Batches of `batch` points are drawn
    until enough are kept; a point's neighbors are those of its own batch, itself left out. Nothing is moved or scaled.
    Hubs lie nearer to the mean than other draws: compare with `truncated_like`, which is as near. Needs many
    dimensions. Raises BenchError where five batches have no hub.
    """

    k: PositiveInt = 5
    threshold: PositiveInt = 50
    batch: PositiveInt = 10000

    def draw(
        self, shape: Sequence[int], generator: Generator, on_progress: Callable[..., None] = lambda *_: None
    ) -> Tensor:
        """Float32 draws of the given shape."""
        found, most, drawn = torch.empty(0, *shape[1:]), 0, 0
        while len(found) < shape[0]:
            x = torch.randn(self.batch, *shape[1:], generator=generator)
            counts = k_occurrence(k_nearest(x.flatten(1), self.k).indices, self.batch)
            found = torch.cat([found, x[counts >= self.threshold]])
            most, drawn = max(most, int(counts.max())), drawn + self.batch
            if not len(found) and drawn >= PATIENCE * self.batch:
                raise BenchError(
                    f"{self!r} keeps no points: of {drawn:,} points in {x[0].numel()} dimensions the largest hub is a "
                    f"neighbor of {most}; lower the threshold of {self.threshold}"
                )
            on_progress(len(found), shape[0])
        return found[: shape[0]]


@hookimpl
def components() -> list[type[Prior]]:
    """The component classes of this module."""
    return [Hub]
