"""Float32 probabilities from tables: O(n) work per row beside two small matrix products.

All classes of a row share one function, p_i = g(mu_i) with g(m) = int h(x - m) exp(L(x)) dx. So the logits are spread
to an even grid of cells by Lagrange weights, L is one matrix product with a table of log F, g on the grid another with
a table of h, and g is interpolated at the logits. The backward pass does the same with weighted logits.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn.functional import threshold

if TYPE_CHECKING:
    from harness.stock.transforms._laws import Law
    from torch import Tensor

LOG_ERROR = math.log(1e-8)


class Table(NamedTuple):
    """log F and h at x_q - m_b, [b, q]: float32, or float64 for logarithms, which go down to exp(-300)."""

    depth: float
    cell: float
    points: int
    log_cdf: Tensor
    h: Tensor
    weighted: Tensor
    """h times the weight of its node, [q, b]."""


@functools.lru_cache(maxsize=64)
def table(law: Law, n: int, relative: bool, device: torch.device) -> Table:
    """The table for rows of up to `n` classes; a class more than `depth` below the best counts as `depth` below."""
    step, reach, cell, below = law.tabulated(n)
    low, high = law.quantile(LOG_ERROR), law.far(LOG_ERROR - math.log(n))
    depth = below if relative else high - low
    left = low * 0.75 - reach * depth if relative else low
    points, kind = (6, torch.float64) if relative else (4, torch.float32)
    x = torch.arange(left, high + step, step, dtype=torch.float64, device=device)
    m = torch.arange(math.ceil(depth / cell) + points, dtype=torch.float64, device=device) * cell - depth
    z = x - (m - (points // 2 - 1) * cell)[:, None]
    log_cdf = law.log_cdf(z)
    h = law.log_hazard(z, log_cdf).exp()
    return Table(depth, cell, points, log_cdf.to(kind), h.to(kind), (h.T * step).to(kind).contiguous())


class Spread(NamedTuple):
    """Where the logits lie among the cells: the first of the points around them and the weight of each [r, n]."""

    first: Tensor
    weights: Sequence[Tensor]
    size: int

    @classmethod
    def of(cls, rows: Tensor, table: Table) -> Spread:
        """Rows [r, n] with their largest entry at 0."""
        position = rows.clamp(min=-table.depth).add_(table.depth).mul_(1 / table.cell)
        first = position.long()
        return cls(first, _lagrange(position.sub_(first), table.points), len(table.h))

    def scatter(self, values: Tensor | None) -> Tensor:
        """The sum over the classes of value times weight, by cell: [r, n] -> [r, b]; None is 1."""
        like = self.weights[0] if values is None else values
        total = like.new_zeros(len(like), self.size)
        for k, weight in enumerate(self.weights):
            total[:, k:].scatter_add_(1, self.first, weight if values is None else weight * values)
        return total

    def gather(self, cells: Tensor) -> Tensor:
        """Cells [r, b] interpolated at the logits, [r, n]."""
        result = cells.gather(1, self.first).mul_(self.weights[0])  # in the cells' type
        for k, weight in enumerate(self.weights[1:], 1):
            result.addcmul_(cells[:, k:].gather(1, self.first), weight)
        return result


def _lagrange(t: Tensor, points: int) -> list[Tensor]:
    """The weights of the points 1 - points/2 ... points/2 at t in [0, 1)."""
    offsets = range(1 - points // 2, points // 2 + 1)
    if points == 4:
        low, high = (t + 1).mul_(t).mul_(1 / 6), (t - 1).mul_(t - 2).mul_(0.5)
        first, last = high * t, low * (t - 1)
        return [first.mul(-1 / 3), first.add_(high), low.mul(2 - t).mul_(3), last]
    terms = {o: t - o for o in offsets}
    weights = []
    for o in offsets:
        weight = torch.full_like(t, 1 / math.prod(o - other for other in offsets if other != o))
        for other in offsets:
            if other != o:
                weight = weight * terms[other]
        weights.append(weight)
    return weights


def forward(law: Law, rows: Tensor, relative: bool) -> tuple[Tensor, Tensor]:
    """(rows [r, n] float32) -> p or log p [r, n] and the sum before it was normalised [r, 1]."""
    t = _for(law, rows, relative)
    spread, masked = Spread.of(rows, t), rows == -torch.inf
    g = _joint(spread.scatter(None), t) @ t.weighted
    if not relative:
        g = threshold(g, 1e-30, 0.0)  # arithmetic on denormal numbers is a hundred times slower
        p = spread.gather(g).clamp_(min=0.0).masked_fill_(masked, 0.0)
        mass = p.sum(-1, keepdim=True)
        return p.div_(mass), mass
    log_p = spread.gather(g.clamp_(min=1e-300).log_().float()).masked_fill_(masked, -torch.inf)
    log_mass = log_p.logsumexp(-1, keepdim=True)
    return log_p.sub_(log_mass), log_mass.exp()


def pull(law: Law, rows: Tensor, out: Tensor, cotangent: Tensor, relative: bool) -> Tensor:
    """The product of the cotangent with the Jacobian of `forward`, [r, n]."""
    t = _for(law, rows, relative)
    spread, masked = Spread.of(rows, t), rows == -torch.inf
    v = cotangent.masked_fill(masked, 0.0)
    if relative:
        v = v.double() * (-out.double().clamp(min=-600.0)).exp()
    counts = spread.scatter(None)
    joint = _joint(counts, t)
    first = (joint * (counts.to(t.h.dtype) @ t.h)) @ t.weighted
    second = (joint * (spread.scatter(v) @ t.h)) @ t.weighted
    return (v * spread.gather(first)).sub_(spread.gather(second)).masked_fill_(masked, 0.0).float()


def _joint(counts: Tensor, t: Table) -> Tensor:
    """P(max <= x_q), [r, b] -> [r, q]."""
    return (counts.to(t.log_cdf.dtype) @ t.log_cdf).clamp_(max=0.0).exp_()


def depth(law: Law, rows: Tensor) -> float:
    """How far below the best the table for logarithms of these rows goes."""
    return _for(law, rows, True).depth


def _for(law: Law, rows: Tensor, relative: bool) -> Table:
    return table(law, 1 << (rows.shape[1] - 1).bit_length(), relative, rows.device)
