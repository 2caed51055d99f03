"""Float32 probabilities from tables: O(n) work per row beside two small matrix products.

All classes of a row share one function, p_i = g(mu_i) with g(m) = int h(x - m) exp(L(x)) dx. So the logits are
distributed to an even grid of cells by Lagrange weights, L is one matrix product with a table of log F, g on the grid
another with a table of h, and g is interpolated at the logits. The backward pass does the same with weighted logits.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import threshold

from . import _steep
from ._spread import Cells
from ._tabulated import Table

if TYPE_CHECKING:
    from torch import Tensor

    from ._law import Law
    from ._spread import Spread


@functools.lru_cache(maxsize=64)
def table(law: Law, n: int, relative: bool, device: torch.device) -> Table:
    """The table for rows of up to `n` classes."""
    x, weights, depth, cell, points, mends = law.plan(n, relative)
    cells = Cells(cell, math.ceil(depth / cell) + points, points)
    m = (torch.arange(cells.size, dtype=torch.float64) - cells.size + points - points // 2) * cell
    z = x - m[:, None]
    log_cdf = law.log_cdf(z)
    kind = torch.float64 if relative else torch.float32
    h = _exp(law.log_hazard(z, log_cdf), kind)
    steep = _steep.steep(law, x, weights, m, cells.depth) if relative and law.steep else None
    weighted = h[:0].T if steep else (h.T * weights[:, None]).contiguous()
    log_cdf, h, weighted = (part.to(device, kind) for part in (log_cdf, h, weighted))
    return Table(cells, log_cdf, h, weighted, mends, steep and steep.to(device))


def forward(laid: Spread, t: Table, relative: bool) -> tuple[Tensor, Tensor]:
    """Probabilities or log-probabilities [r, n] of the logits, and the sum before normalization [r, 1]."""
    if t.steep is not None:
        return _steep.forward(laid, t, t.steep)
    counts = laid.scatter()
    g = _joint(counts, t) @ t.weighted
    mass = (counts.to(g.dtype) * g).sum(-1, keepdim=True)  # the sum of g interpolated at the logits
    if relative:
        log_p = g.clamp_(min=1e-300).log_().sub_(mass.log()).float()
        return laid.gather(log_p, -torch.inf, -torch.inf), mass.float()
    g = threshold(g, 1e-30, 0.0)
    return laid.gather(g.div_(mass), 0.0, 0.0), mass


def pull(laid: Spread, t: Table, out: Tensor, cotangent: Tensor, relative: bool) -> Tensor:
    """Product of the cotangent with the Jacobian of `forward`, [r, n]."""
    if t.steep is not None:
        return _steep.pull(laid, t, t.steep, cotangent.double())
    v = cotangent.double() * (-out.double().clamp(min=-600.0)).exp() if relative else cotangent
    counts = laid.scatter()
    joint = _joint(counts, t)
    first = (joint * (counts.to(t.h.dtype) @ t.h)) @ t.weighted
    second = (joint * (laid.scatter(v) @ t.h)) @ t.weighted
    return laid.difference(v, first, second)


def _joint(counts: Tensor, t: Table) -> Tensor:
    """Probability P(max <= x_q), [r, b] -> [r, q]."""
    return _exp((counts.to(t.log_cdf.dtype) @ t.log_cdf).clamp_(max=0.0), t.log_cdf.dtype)


def _exp(x: Tensor, kind: torch.dtype) -> Tensor:
    """Exponential, but 0 where products in this type would be subnormal, which are a hundred times slower."""
    least = -690.0 if kind == torch.float64 else -69.0
    return threshold(x.clamp(min=least), least, -torch.inf).exp_()
