"""The distribution of a negated Gumbel variable."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import logsigmoid

from ._grids import FAR, NEVER, left_end, spread, steps_between
from ._law import LOG_ERROR, Aim, Law, Nodes, Plan, uniforms

if TYPE_CHECKING:
    from torch import Generator, Tensor

BOUND = 600.0
"""Largest exponent: the exponential of more would overflow."""

MOST = 300.0
"""Distance below the best logit up to which logarithms are followed."""


@dataclass(frozen=True)
class ReverseGumbel(Law):
    """The law of a negated Gumbel variable, F(z) = 1 - exp(-e^z).

    F falls as e^z to the left, 1 - F faster than exponentially to the right.
    """

    @property
    def steep(self) -> bool:
        return True

    def log_cdf(self, z: Tensor) -> Tensor:
        a = z.clamp(max=BOUND).exp()
        right = (-(-a.clamp(min=0.5)).exp()).log1p()
        return torch.where(a > 0.7, right, (-(-a.clamp(max=1.0)).expm1()).clamp(min=1e-300).log())

    def log_hazard(self, z: Tensor, log_cdf: Tensor) -> Tensor:
        z = z.clamp(max=BOUND)
        return z - z.exp() - log_cdf

    def far(self, log_tail: float) -> float:
        return math.log(-log_tail)

    def nodes(self, rows: Tensor, aim: Aim) -> Nodes:
        """Even nodes; left of the lowest of k logits the integrand falls as exp(k x)."""
        n, low = rows.shape[1], self.quantile(aim.log_error)
        high = torch.full_like(rows[:, :1], self.far(aim.log_error - math.log(n)))
        if aim.relative:
            a = -spread(rows).clamp(max=MOST) - 1 + aim.log_error / (rows > FAR).sum(1, keepdim=True)
            step = min(0.55 / max(math.log(n), 2.4), max(0.02, 0.8 / math.sqrt(n)))
        else:
            a = left_end(self, rows, torch.full_like(high, low), high, aim.log_error)
            step = (0.55 if aim.log_error < -20 else 0.8) / max(math.log(n), 2.4)
        k, width = steps_between(a, high, step)
        return a + width * k.clamp(min=0), torch.where(k >= 0, width.log(), NEVER)

    def plan(self, n: int, relative: bool) -> Plan:
        step, high = 0.8 / max(math.log(n), 2.4), self.far(LOG_ERROR - math.log(n))
        depth = 30.0 if relative else -self.quantile(LOG_ERROR)
        low = -depth - 10 if relative else -depth
        step = min(step, max(0.02, 1.2 / math.sqrt(n))) if relative else step
        x = torch.arange(low, high + step, step, dtype=torch.float64)
        return Plan(x, torch.full_like(x, step), depth, 0.16 / max(math.log(n), 2.4), 6, relative)

    def log_behind(self, d: Tensor) -> Tensor:
        return logsigmoid(-d)

    def draw(self, like: Tensor, generator: Generator | None = None) -> Tensor:
        return (-uniforms(like, generator).log()).log()
