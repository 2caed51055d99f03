"""Distances in blocks of rows, and the smallest numbers of each row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from harness.errors import BenchError

LOST = 1e-6
"""Share of the squared norms below which a squared distance has lost digits by cancellation."""


class Neighbors(NamedTuple):
    """Neighbors of points: their numbers [n, k], int64, and their distances [n, k], nearest first."""

    indices: Tensor
    distances: Tensor


def pairwise_distances(x: Tensor, y: Tensor) -> Tensor:
    """Return distances of points [n, d] and [m, d] -> [n, m], float64, with a relative error below 1e-8 everywhere."""
    center = y.double().mean(0)
    a, b = x.double() - center, y.double() - center
    norms = a.square().sum(1)[:, None] + b.square().sum(1)
    squares = torch.addmm(norms, a, b.T, alpha=-2)
    for rows, columns in (place.T for place in torch.split((squares < LOST * norms).nonzero(), 2**16)):
        squares[rows, columns] = (x[rows].double() - y[columns]).square().sum(1)
    return squares.clamp_(min=0).sqrt_()


def k_smallest(blocks: Iterable[Tensor], k: int, own: bool = True) -> Neighbors:
    """Return the k smallest of each row of a matrix [n, m] passed a few rows at a time; `own` excludes its diagonal.

    Raises BenchError for fewer than k numbers in a row, where NaN does not count.
    """
    found, first = [], 0
    for block in blocks:
        found.append(take(_without_own(block, first) if own else block, k))
        first += len(block)
    return Neighbors(*(torch.cat(parts) for parts in zip(*found, strict=True)))


def take(values: Tensor, k: int) -> Neighbors:
    """Return the k smallest of each row of [n, m]; of equal ones the first, which `topk` does not guarantee."""
    if values.shape[1] < k or bool((values < torch.inf).sum(1).lt(k).any()):
        raise BenchError(f"{k} nearest neighbors need {k} other points with a distance that is a number")
    last = values.topk(k, largest=False).values[:, -1:]
    inside, ties = values < last, values == last
    inside |= ties & (ties.cumsum(1) <= k - inside.sum(1, keepdim=True))
    return _in_order(inside.nonzero()[:, 1].view(-1, k), values)


def _in_order(index: Tensor, values: Tensor) -> Neighbors:
    """Sort columns [n, k] within each row by their values in [n, m]."""
    chosen, order = values.gather(1, index).sort(dim=1, stable=True)
    return Neighbors(index.gather(1, order), chosen)


def _without_own(block: Tensor, first: int) -> Tensor:
    """Return the rows of a square matrix from `first` on with infinity on the diagonal."""
    rows = torch.arange(len(block), device=block.device)
    return block.index_put((rows, rows + first), block.new_tensor(torch.inf))
