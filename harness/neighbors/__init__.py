"""Exact nearest neighbors without all distances in memory, and the number of times each point is one.

Points are rows, [n, d]; distances are Euclidean, float64. Neighbors are ordered by distance, ties by their number, so
that duplicates have an order too; a point of the data is never its own neighbor, though its duplicates are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from harness.errors import BenchError, near_miss
from harness.neighbors.blocks import Neighbors, k_smallest, pairwise_distances
from harness.neighbors.libraries import faiss, release, sklearn
from harness.neighbors.search import exact

__all__ = ["ENGINES", "Neighbors", "k_nearest", "k_occurrence", "k_smallest", "pairwise_distances", "release"]

ENGINES: Mapping[str, Callable[[Tensor, int, Tensor | None], Neighbors]] = {
    "exact": exact,
    "sklearn": sklearn,
    "faiss": faiss,
}


def k_nearest(data: Tensor, k: int, x: Tensor | None = None, engine: str = "exact") -> Neighbors:
    """Find the k nearest of data [m, d] for each of the data, itself excluded, or for each of other points x [n, d].

    `exact` ranks by matrix products and recomputes, difference by difference, the distances whose order rounding could
    have changed. `sklearn` is scikit-learn's brute force in float64, `faiss` the flat index of that library, float32;
    neither defines the order of ties. Raises BenchError for too few points, values that are not finite, no such engine.
    """
    if engine not in ENGINES:
        raise BenchError(f"no neighbor engine {engine!r}{near_miss(engine, ENGINES)}")
    for points in (data,) if x is None else (data, x):
        _check(points)
    least = k + (x is None)
    if len(data) < least:
        raise BenchError(f"{k} nearest neighbors need {least} points or more, not {len(data)}")
    return ENGINES[engine](data.double(), k, None if x is None else x.double())


def k_occurrence(index: Tensor, n: int) -> Tensor:
    """Return N_k of n points (Radovanovic et al., 2010): in how many rows of neighbors [m, k] each is; int64 [n]."""
    return index.flatten().bincount(minlength=n)


def _check(points: Tensor) -> None:
    if points.ndim != 2:
        raise BenchError(f"neighbors are found among points [n, d], not {[*points.shape]}")
    lost = ~torch.isfinite(points).all(1)
    if bool(lost.any()):
        raise BenchError(f"point {int(lost.nonzero()[0])} is not finite")
