"""Logarithms of float32 rows whose probabilities underflow in float64: log-sum-exp over the nodes.

As `_table.py`, but log g(m) = log int h(x - m) exp(L(x)) dx, which varies slowly with m, is summed on wider cells and
interpolated to the others. For the derivative the weight of node x in p_i, h(x - mu_i) exp(L(x)) / p_i, is used on the
wide cells: it is integrated against functions that vary slowly with x.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from ._grids import exp
from ._spread import weights_of
from ._tabulated import Steep, Table

if TYPE_CHECKING:
    from torch import Tensor

    from ._law import Law
    from ._spread import Spread

WIDE = 0.125
"""Approximate width of the wide cells."""

ELEMENTS = 1 << 16
"""Most numbers in one temporary tensor."""
LOG_ERROR = math.log(1e-8)


def steep(law: Law, x: Tensor, weights: Tensor, m: Tensor, depth: float) -> Steep:
    """Tables for cells at `m` [b], the first of them with a logit in it `depth` below the best."""
    wide = torch.arange(-4, math.ceil(depth / WIDE) + 6, dtype=torch.float64) * WIDE - depth
    z = x[:, None] - wide
    place = (m + depth) / WIDE
    first = place.floor()
    powers = (place - first) ** torch.arange(6.0, dtype=torch.float64)[:, None]
    up = torch.zeros(len(wide), len(m), dtype=torch.float64)
    up.scatter_(0, first.long() + torch.arange(2, 8)[:, None], weights_of(6) @ powers)
    return Steep(x, wide, law.log_hazard(z, law.log_cdf(z)) + weights.log()[:, None], up)


def forward(laid: Spread, t: Table, s: Steep) -> tuple[Tensor, Tensor]:
    """Log-probabilities [r, n] of the logits, and the sum of p before normalization [r, 1]."""
    counts = laid.scatter().double()
    nodes, cells = _used(counts, t, s)
    parts = []
    for joint in (counts @ t.log_cdf[:, nodes]).split(_rows(s.log_weighted[nodes, cells])):
        parts.append(_sum(joint, s.log_weighted[nodes, cells])[1])
    log_g = torch.cat(parts) @ s.up[cells]
    mass = (counts * log_g.clamp(max=9.0).exp()).sum(-1, keepdim=True)  # the sum of g interpolated at the logits
    return laid.gather(log_g.sub_(mass.log()).float(), -torch.inf, -torch.inf), mass.float()


def pull(laid: Spread, t: Table, s: Steep, cotangent: Tensor) -> Tensor:
    """Product of the cotangent [r, n] float64 with the Jacobian of `forward`, [r, n]."""
    counts, sums = laid.scatter().double(), laid.scatter(cotangent)
    nodes, cells = _used(counts, t, s)
    log_joint, all_h = counts @ t.log_cdf[:, nodes], counts @ t.h[:, nodes]
    up, size = s.up[cells], _rows(s.log_weighted[nodes, cells])
    first, weighted = [], []
    for joint, h, v in zip(*(x.split(size) for x in (log_joint, all_h, sums @ up.T)), strict=True):
        share, _ = _sum(joint, s.log_weighted[nodes, cells])
        first.append((h[:, None].float() @ share)[:, 0])
        weighted.append((share @ v[:, :, None].float())[:, :, 0])
    return laid.difference(cotangent, torch.cat(first).double() @ up, torch.cat(weighted).double() @ t.h[:, nodes].T)


def _sum(log_joint: Tensor, log_weighted: Tensor) -> tuple[Tensor, Tensor]:
    """Share of each node in g [r, q, c], and log g [r, c]."""
    terms = log_joint[:, :, None] + log_weighted
    top = terms.amax(1, keepdim=True)
    share = exp(terms.sub_(top).float())
    total = share.sum(1, keepdim=True)
    return share.div_(total), (top + total.log())[:, 0]


def _used(counts: Tensor, t: Table, s: Steep) -> tuple[slice, slice]:
    """Nodes and wide cells that matter to the lowest of these logits."""
    first = int((counts != 0).any(0).int().argmax())
    lowest = first * t.cells.width - t.cells.depth - t.cells.points * t.cells.width
    # Left of the lowest of k logits the integrand falls as exp(k x).
    node = int(torch.searchsorted(s.x, lowest - 1 + LOG_ERROR / max(2.0, float(counts.sum(1).amin()))))
    return slice(node, None), slice(max(0, int((lowest - s.wide[0]) / WIDE) - 3), None)


def _rows(one: Tensor) -> int:
    """Number of rows to process at a time."""
    return max(1, ELEMENTS // one.numel())
