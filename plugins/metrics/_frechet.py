"""Squared Frechet distance between normal distributions, of samples with the bias removed."""

from __future__ import annotations

import torch
from torch import Tensor

GROUPS = 20


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean [d] and covariance [d, d] of points [n, d]."""
    gaps = x - x.mean(0)
    return x.mean(0), gaps.T @ gaps / (len(x) - 1)


def square_root(covariance: Tensor) -> Tensor:
    """Symmetric root of a positive semidefinite matrix [d, d]."""
    values, vectors = torch.linalg.eigh(covariance)
    root: Tensor = vectors * values.clamp(min=0).sqrt() @ vectors.T
    return root


def frechet(gap: Tensor, covariance: Tensor, root: Tensor) -> Tensor:
    """Squared distance |gap|^2 + tr C + tr R^2 - 2 tr (R C R)^(1/2), R the root of the other covariance.

    Source: Dowson and Landau, 1982.
    """
    overlap: Tensor = torch.linalg.eigvalsh(root @ covariance @ root).clamp(min=0).sqrt().sum()
    return gap.square().sum() + covariance.trace() + root.square().sum() - 2 * overlap


def jackknifed(x: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """Distance of points [n, d] from known moments, less its bias of order 1/n: a delete-group jackknife.

    With weights (n - n_j) / n the groups need not be of one size (Busing, Meijer and van der Leeden, 1999). The points
    are assigned to the groups at random, always in the same way, since data may be sorted. Sums of moments are
    additive: leaving out a group costs one subtraction and one eigenvalue problem.
    """
    n, root = len(x), square_root(covariance)
    x = (x - mean)[torch.randperm(n, generator=torch.Generator().manual_seed(0)).to(x.device)]
    total, products = x.sum(0), x.T @ x

    def distance(left: int, total: Tensor, products: Tensor) -> Tensor:
        gap = total / left
        return frechet(gap, (products - left * torch.outer(gap, gap)) / (left - 1), root)

    value = GROUPS * distance(n, total, products)
    for group in x.tensor_split(GROUPS):
        left = n - len(group)
        value = value - left / n * distance(left, total - group.sum(0), products - group.T @ group)
    return value


def jackknifed_pair(x: Tensor, y: Tensor) -> Tensor:
    """Distance between points [n, d] and [m, d], less the bias due to each side."""
    of_x, of_y = moments(x), moments(y)
    raw = frechet(of_x[0] - of_y[0], of_x[1], square_root(of_y[1]))
    return jackknifed(x, *of_y) + jackknifed(y, *of_x) - raw
