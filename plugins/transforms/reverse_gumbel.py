"""Argmax under reverse Gumbel noise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from harness.stock.transforms._argmax import Argmax, log_softmax, reverse_gumbel
from harness.stock.transforms._own import Rule, own, slices

from harness import Transform, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor

FLOOR = -60.0


class ReverseGumbel(Argmax):
    """The distribution of the argmax when Gumbel noise times `scale` is subtracted.

    [..., n] -> [..., n], softmax for two classes but not for more. With m = logits / scale, p_i is the sum over the
    sets S of other classes of (-1)^|S| / (1 + sum_{j in S} exp(m_i - m_j)), which cancels; computed as an integral over
    the largest noisy logit, O(n) per node. Below `largest - 60 scale` the logarithm goes on as a straight line.
    """

    def log_of_standard(self, rows: Tensor) -> Tensor:
        """Log-probabilities by the trapezoidal rule; log softmax where there are at most two classes."""
        return log_softmax(rows) if rows.shape[-1] <= 2 else own(rows, Rule(_log, _pull))

    def noise(self, like: Tensor, generator: Generator | None) -> Tensor:
        """Minus Gumbel noise."""
        return reverse_gumbel(like, generator)


def _step(rows: Tensor) -> float:
    """The distance of the nodes for rows [..., n]: the distribution of the largest noisy logit is narrower by log n."""
    return (0.55 if rows.dtype == torch.float64 else 0.8) / max(math.log(rows.shape[-1]), 2.4)


def _nodes(rows: Tensor) -> tuple[Tensor, float]:
    """Equidistant nodes x [q] for all rows [..., n].

    Left of the lowest logit the integrand falls as exp(n x), right of log(log n + reach) it is below rounding.
    """
    n, step = rows.shape[-1], _step(rows)
    reach = 37.0 if rows.dtype == torch.float64 else 17.0
    lowest = rows.masked_fill(rows == -torch.inf, 0.0).clamp(min=FLOOR).amin()
    left, right = float(lowest) - 1 - reach / n, math.log(math.log(n) + reach)
    return torch.arange(left, right + step, step, dtype=rows.dtype, device=rows.device), step


def _pieces(rows: Tensor, nodes: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """log h [..., q, n] and the sum of log F [..., q, 1] at some nodes: F = 1 - exp(-e^(x - m)), h = F' / F."""
    m = rows.clamp(min=FLOOR)
    rate = (-m).exp().masked_fill(rows == -torch.inf, 1e30)  # so large that F is 1
    for x in slices(nodes, rows):
        a = x.exp()[:, None] * rate[..., None, :]
        log_cdf = torch.where(a > 0.7, (-(-a).exp()).log1p(), (-(-a).expm1()).log())
        yield (x[:, None] - m[..., None, :]) - a - log_cdf, log_cdf.sum(-1, keepdim=True)


def _beyond(rows: Tensor) -> Tensor:
    """What the straight line adds to log p [..., n] below the floor: its slope is the number of classes above."""
    above = (rows >= FLOOR).sum(-1, keepdim=True)
    return torch.where(rows < FLOOR, above * (rows - FLOOR), 0.0)


def _log(rows: Tensor) -> tuple[Tensor, Tensor]:
    nodes, step = _nodes(rows)
    log_p = torch.full_like(rows, -torch.inf)
    for log_hazard, log_cdf in _pieces(rows, nodes):
        log_p = torch.logaddexp(log_p, (log_hazard + log_cdf).logsumexp(-2))
    return (log_p + math.log(step) + _beyond(rows)).clamp(max=0.0), nodes


def _pull(rows: Tensor, log_p: Tensor, nodes: Tensor, g: Tensor) -> Tensor:
    """d p_i / d logit_k = -int prod F h_i h_k dx for k != i; `share` is what a node gives of each p_i."""
    log_p = torch.where(log_p > -torch.inf, log_p - _beyond(rows), 0.0)
    result = torch.zeros_like(rows)
    for log_hazard, log_cdf in _pieces(rows, nodes):
        hazard = log_hazard.exp()
        share = (log_hazard + log_cdf + math.log(_step(rows)) - log_p[..., None, :]).exp()
        total, weighted = hazard.sum(-1, keepdim=True), share @ g[..., None]
        result = result + g * (share * total).sum(-2) - (hazard * weighted).sum(-2)
    return result

    def reference_noise(self) -> Any:
        """The noise, for an independent reference."""
        from scipy import stats

        return stats.gumbel_l(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [ReverseGumbel]
