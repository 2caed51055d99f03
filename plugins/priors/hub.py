"""Start from hubs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import BenchError, Count, Prior, hookimpl, nearest, occurrences

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Generator, Tensor

PATIENCE = 5
"""Batches without a hub after which there are none to be hoped for."""


class Hub(Prior):
    """Normal draws that are among the `k` nearest of `threshold` others or more (Liang et al., 2022).

    Batches of `batch` points are drawn until enough are kept; a point's neighbours are those of its own batch, itself
    left out. Nothing is moved or scaled. Hubs lie nearer to the mean than other draws: compare with `truncated_like`,
    which is as near. Needs many dimensions. Raises BenchError where five batches have no hub.
    """

    k: Count = 5
    threshold: Count = 50
    batch: Count = 10000

    def draw(self, shape: Sequence[int], generator: Generator, report: Callable[..., None] = lambda *_: None) -> Tensor:
        """Float32 draws of that shape."""
        found, most, drawn = torch.empty(0, *shape[1:]), 0, 0
        while len(found) < shape[0]:
            x = torch.randn(self.batch, *shape[1:], generator=generator)
            counts = occurrences(nearest(x.flatten(1), self.k).indices, self.batch)
            found = torch.cat([found, x[counts >= self.threshold]])
            most, drawn = max(most, int(counts.max())), drawn + self.batch
            if not len(found) and drawn >= PATIENCE * self.batch:
                raise BenchError(
                    f"{self!r} keeps nobody: of {drawn:,} points in {x[0].numel()} dimensions the greatest hub is a "
                    f"neighbour of {most}; lower the threshold of {self.threshold}"
                )
            report(len(found), shape[0])
        return found[: shape[0]]


@hookimpl
def components() -> list[type[Prior]]:
    """What this file brings."""
    return [Hub]
