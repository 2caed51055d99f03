"""Balls around points with the distance to the k-th nearest neighbor as radius, by any dissimilarity."""

from __future__ import annotations

import torch
from torch import Tensor

from harness import BenchError, Dissimilarity, k_smallest


def radii(centers: Tensor, k: int, by: Dissimilarity) -> Tensor:
    """Distance of each point [m, d] to its k-th nearest other -> [m]. Raises BenchError for too few points."""
    if len(centers) <= k:
        raise BenchError(f"{k} nearest neighbors need {k + 1} points or more, not {len(centers)}")
    return k_smallest(by.blocks(centers), k).distances[:, -1]


def balls(x: Tensor, centers: Tensor, radii: Tensor, by: Dissimilarity) -> Tensor:
    """Number of balls that contain each point [n, d], surface included: centers [m, d], radii [m] -> [n]."""
    return torch.cat([(rows <= radii).sum(1) for rows in by.blocks(x, centers)])


def holders(x: Tensor, centers: Tensor, radii: Tensor, by: Dissimilarity) -> Tensor:
    """Mask of the balls that contain any of the points [n, d], surface included: centers [m, d], radii [m] -> [m]."""
    return torch.stack([(rows <= radii).any(0) for rows in by.blocks(x, centers)]).any(0)
