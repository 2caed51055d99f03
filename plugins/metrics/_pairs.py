"""Means over pairs of points, in pieces that fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

CELLS = 2**18
"""Number of pairs held at once: 2 MiB of float64, which the cache of one core holds."""


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Squared distances |x_i - y_j|^2 of points [n, d] and [m, d] -> [n, m]."""
    norms = x.square().sum(-1)[:, None] + y.square().sum(-1)
    return norms.addmm_(x, y.T, alpha=-2).clamp_(min=0)


def pieces(x: Tensor, width: int) -> Iterator[Tensor]:
    """Slices of x [n, ...], so short that each of them times `width` fits."""
    return iter(x.split(max(1, CELLS // width)))


def mean_over_pairs(kernel: Callable[[Tensor, Tensor], Tensor], x: Tensor, y: Tensor | None = None) -> Tensor:
    """Mean of kernel(x_i, y_j) over all pairs, or of kernel(x_i, x_j) over those with i != j: a U-statistic.

    `kernel` maps points [a, d] and [b, d] to [a, b], symmetrically. NaN for a single point without another.
    """
    if y is not None:
        return torch.stack([kernel(rows, y).sum() for rows in pieces(x, len(y))]).sum() / (len(x) * len(y))
    total, rest = x.new_zeros(()), x
    for rows in pieces(x, len(x)):
        values, rest = kernel(rows, rest), rest[len(rows) :]
        values.fill_diagonal_(0)
        total = total + 2 * values.sum() - values[:, : len(rows)].sum()  # pairs within the piece counted twice
    return total / (len(x) * (len(x) - 1))


def two_sample(kernel: Callable[[Tensor, Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
    """Value of E k(x, x') + E k(y, y') - 2 E k(x, y) as U-statistics, points [n, d] and [m, d] -> scalar.

    Unbiased: below 0 as often as above where the truth is 0. With a positive definite kernel it is MMD^2 (Gretton et
    al., 2012, eq. 3).
    """
    within = mean_over_pairs(kernel, x) + mean_over_pairs(kernel, y)
    return within - 2 * mean_over_pairs(kernel, x, y)


def deviation(x: Tensor) -> Tensor:
    """Root mean square distance of points [n, d] from their mean."""
    return torch.var(x, dim=0).sum().sqrt()
