"""Squared Frechet distance between normal distributions, of samples with the bias removed."""

from __future__ import annotations

from collections.abc import Callable

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

    Sums of moments are additive: leaving out a group costs one subtraction and one eigenvalue problem. Fewer points
    than dimensions span a space of n dimensions, in which all that is needed is computed.
    """
    x = _shuffled(x - mean)
    if len(x) < x.shape[1]:
        products, trace = x @ covariance @ x.T, covariance.trace()
        return _without_bias(x, lambda kept: trace - 2 * _overlap_by_products(products[kept][:, kept]))
    root, total, products = square_root(covariance), x.sum(0), x.T @ x

    def distance(left: int, total: Tensor, products: Tensor) -> Tensor:
        gap = total / left
        return frechet(gap, (products - left * torch.outer(gap, gap)) / (left - 1), root)

    n, value = len(x), GROUPS * distance(len(x), total, products)
    for group in x.tensor_split(GROUPS):
        left = n - len(group)
        value = value - left / n * distance(left, total - group.sum(0), products - group.T @ group)
    return value


def jackknifed_pair(x: Tensor, y: Tensor) -> Tensor:
    """Distance between points [n, d] and [m, d], less the bias due to each side."""
    if min(len(x), len(y)) < x.shape[1]:
        raw = _raw(x, y)
        return _spanned(x, y) + _spanned(y, x) - raw
    of_x, of_y = moments(x), moments(y)
    raw = frechet(of_x[0] - of_y[0], of_x[1], square_root(of_y[1]))
    return jackknifed(x, *of_y) + jackknifed(y, *of_x) - raw


def _shuffled(x: Tensor) -> Tensor:
    """Points in an order by chance, always the same: data may be sorted, and groups are neighbors in the order."""
    return x[torch.randperm(len(x), generator=torch.Generator().manual_seed(0)).to(x.device)]


def _without_bias(x: Tensor, rest: Callable[[Tensor], Tensor]) -> Tensor:
    """Jackknife of |mean|^2 + tr C + rest(kept), with mean and covariance C of the points [n, d] at `kept`.

    With weights (n - n_j) / n the groups need not be of one size (Busing, Meijer and van der Leeden, 1999).
    """
    places, total, squares = torch.arange(len(x), device=x.device), x.sum(0), x.square().sum(1)

    def distance(kept: Tensor, total: Tensor) -> Tensor:
        left, gap = len(kept), (total / len(kept)).square().sum()
        return gap + (squares[kept].sum() - left * gap) / (left - 1) + rest(kept)

    value = GROUPS * distance(places, total)
    for group in places.tensor_split(GROUPS):
        kept = places[~torch.isin(places, group)]
        value = value - len(kept) / len(x) * distance(kept, total - x[group].sum(0))
    return value


def _overlap_by_products(products: Tensor) -> Tensor:
    """Value of tr (R C R)^(1/2) from the products x' S x [n, n] of points, R the root of S, C their covariance.

    The eigenvalues above 0 of R C R are those of the centered products over n - 1.
    """
    centered = products - products.mean(0)
    centered = centered - centered.mean(1, keepdim=True)
    values: Tensor = torch.linalg.eigvalsh((centered + centered.T) / 2 / (len(products) - 1))
    return values.clamp(min=0).sqrt().sum()


def _overlap(products: Tensor) -> Tensor:
    """Value of tr (C_x^(1/2) C_y C_x^(1/2))^(1/2) from the products x y' [n, m] of points, y centered."""
    n, m = products.shape
    found: Tensor = torch.linalg.svdvals(products - products.mean(0)).sum() / ((n - 1) * (m - 1)) ** 0.5
    return found


def _raw(x: Tensor, y: Tensor) -> Tensor:
    """Distance between the moments of points [n, d] and [m, d], in the space that they span."""
    gap, x, y = x.mean(0) - y.mean(0), x - x.mean(0), y - y.mean(0)
    spread = x.square().sum() / (len(x) - 1) + y.square().sum() / (len(y) - 1)
    return gap.square().sum() + spread - 2 * _overlap(x @ y.T)


def _spanned(x: Tensor, y: Tensor) -> Tensor:
    """Distance of points x [n, d] from the moments of y [m, d], less the bias due to x."""
    mean = y.mean(0)
    x, y = _shuffled(x - mean), y - mean
    products, trace = x @ y.T, y.square().sum() / (len(y) - 1)
    return _without_bias(x, lambda kept: trace - 2 * _overlap(products[kept]))
