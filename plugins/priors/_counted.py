"""Normal draws chosen by how many others have them for a neighbor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import BenchError, k_nearest, k_occurrence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Generator, Tensor

PATIENCE = 5
"""Number of batches without a point to keep after which the search ends."""


def kept(
    shape: Sequence[int],
    generator: Generator,
    batch: int,
    k: int,
    keep: Callable[[Tensor], Tensor],
    missing: Callable[[int, int, Tensor], str],
    on_progress: Callable[..., None],
) -> Tensor:
    """Float32 draws of the given shape, of batches of `batch`, those that `keep` picks by their counts N_k [batch].

    Raises BenchError where five batches have none, with the words of `missing(points, dimensions, counts)` for the
    counts of all of them.
    """
    found, seen = torch.empty(0, *shape[1:]), []
    while len(found) < shape[0]:
        x = torch.randn(batch, *shape[1:], generator=generator)
        counts = k_occurrence(k_nearest(x.flatten(1), k).indices, batch)
        found = torch.cat([found, x[keep(counts)]])
        seen.append(counts)
        if not len(found) and len(seen) >= PATIENCE:
            raise BenchError(missing(len(seen) * batch, x[0].numel(), torch.cat(seen)))
        on_progress(len(found), shape[0])
    return found[: shape[0]]
