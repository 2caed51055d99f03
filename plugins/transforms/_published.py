"""The quadrature as published: equal weights at the quantiles k / (K + 1) of the noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from ._law import Law


def published(law: Law, rows: Tensor, count: int) -> Tensor:
    """Mean over k of prod_{j != i} F(row_i - row_j + F^-1(k / (count + 1))), not normalized: [r, n] -> [r, n].

    O(n^2 count), for small n; plain operations, so torch differentiates it. Source: kexue.fm/archives/9085.
    """
    masked = rows == -torch.inf
    mu = rows.masked_fill(masked, 0.0)
    log_t = (torch.arange(1, count + 1, dtype=torch.float64, device=rows.device) / (count + 1)).log()
    between = mu[:, :, None] - mu[:, None, :]
    total = torch.zeros_like(mu)
    for node, log_own in zip(law.quantiles(log_t).tolist(), log_t.tolist(), strict=True):
        log_cdf = law.log_cdf(between + node).masked_fill(masked[:, None], 0.0)
        total = total + (log_cdf.sum(-1) - log_own).exp()
    return (total / count).masked_fill(masked, 0.0)
