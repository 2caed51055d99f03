"""Quadrature at fixed levels of the noise: the published rule, at the quantiles k / (K + 1), and better ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from ._law import Law


def equal_weights(rule: str, count: int) -> tuple[Tensor, Tensor]:
    """Log-levels and weights [count] of `published`, t = k / (count + 1), or of `midpoints`, t = (k - 1/2) / count."""
    k = torch.arange(1, count + 1, dtype=torch.float64)
    t = k / (count + 1) if rule == "published" else (k - 0.5) / count
    return t.log(), torch.full_like(t, 1 / count)


def gauss_hermite(count: int) -> tuple[Tensor, Tensor]:
    """Log-levels and weights [count] of Gauss-Hermite quadrature for standard normal noise."""
    import numpy

    nodes, weights = numpy.polynomial.hermite_e.hermegauss(count)
    return torch.special.log_ndtr(torch.as_tensor(nodes)), torch.as_tensor(weights / weights.sum())


def at_levels(law: Law, rows: Tensor, log_levels: Tensor, weights: Tensor) -> Tensor:
    """Sum over k of weight_k prod_{j != i} F(row_i - row_j + F^-1(t_k)), not normalized: [r, n] -> [r, n].

    O(n^2 nodes), for small n; plain operations, so torch differentiates it. Source: kexue.fm/archives/9085.
    """
    masked = rows == -torch.inf
    mu = rows.masked_fill(masked, 0.0)
    between = mu[:, :, None] - mu[:, None, :]
    total = torch.zeros_like(mu)
    nodes = law.quantiles(log_levels.to(rows.device))
    for node, log_own, weight in zip(nodes.tolist(), log_levels.tolist(), weights.tolist(), strict=True):
        log_cdf = law.log_cdf(between + node).masked_fill(masked[:, None], 0.0)
        total = total + weight * (log_cdf.sum(-1) - log_own).exp()
    return total.masked_fill(masked, 0.0)
