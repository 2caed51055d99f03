"""Balls around points, as wide as their nearest neighbours are far, by any dissimilarity."""

from __future__ import annotations

import torch
from torch import Tensor

from harness import BenchError, Dissimilarity, smallest


def radii(centres: Tensor, k: int, by: Dissimilarity) -> Tensor:
    """How far each point [m, d] is from its k-th nearest other -> [m]. Raises BenchError for too few points."""
    if len(centres) <= k:
        raise BenchError(f"{k} nearest neighbours need {k + 1} points or more, not {len(centres)}")
    return smallest(by.blocks(centres), k).distances[:, -1]


def balls(x: Tensor, centres: Tensor, radii: Tensor, by: Dissimilarity) -> Tensor:
    """In how many balls each point [n, d] lies, their surface included: centres [m, d], radii [m] -> [n]."""
    return torch.cat([(rows <= radii).sum(1) for rows in by.blocks(x, centres)])


def holders(x: Tensor, centres: Tensor, radii: Tensor, by: Dissimilarity) -> Tensor:
    """Which balls hold some of the points [n, d], on their surface or inside: centres [m, d], radii [m] -> bool [m]."""
    return torch.stack([(rows <= radii).any(0) for rows in by.blocks(x, centres)]).any(0)
