"""Nearest neighbours, by all distances in pieces."""

from __future__ import annotations

import torch
from harness.stock.metrics._pairs import pieces, squared_distances
from torch import Tensor

from harness import BenchError


def nearest(x: Tensor, y: Tensor, k: int = 1) -> Tensor:
    """Squared distance of each point [n, d] to its k-th nearest of [m, d] -> [n]."""
    found = [squared_distances(rows, y).topk(k, largest=False).values[:, -1] for rows in pieces(x, len(y))]
    return torch.cat(found)


def radii(x: Tensor, k: int) -> Tensor:
    """Squared distance of each point [n, d] to its k-th nearest other -> [n]. Raises BenchError for too few points."""
    if len(x) <= k:
        raise BenchError(f"{k} nearest neighbours need {k + 1} points or more, not {len(x)}")
    return nearest(x, x, k + 1)


def balls(x: Tensor, centres: Tensor, radii: Tensor) -> Tensor:
    """In how many balls each point [n, d] lies, their surface included: centres [m, d], squared radii [m] -> [n]."""
    found = [(squared_distances(rows, centres) <= radii).sum(1) for rows in pieces(x, len(centres))]
    return torch.cat(found)
