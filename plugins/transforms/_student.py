"""Student's t distribution; the Cauchy distribution is df = 1."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.special import logsumexp, roots_jacobi

from . import _tails
from ._grids import crowded
from ._law import LOG_ERROR, Aim, Law, Nodes, Plan, uniforms

if TYPE_CHECKING:
    from torch import Generator, Tensor
DEPTH = 32.0
"""Distance below the best logit that the tables cover."""
FEW = 16
"""Number of classes up to which compiled functions are faster than tables of half that depth."""


@dataclass(frozen=True)
class Student(Law):
    """Student's t with `df` degrees of freedom, any above 0.

    With z = -sqrt(df) cot(s), s in (0, pi): F(z) = c int_0^s sin(u)^(df - 1) du, so the tail keeps its relative
    accuracy.
    """

    df: float

    @property
    def scale(self) -> float:
        """Distance from the center to the poles of the density."""
        return math.sqrt(self.df)

    @property
    def log_constant(self) -> float:
        """Logarithm of 1 / int_0^pi sin^(df - 1)."""
        return math.lgamma((self.df + 1) / 2) - math.lgamma(self.df / 2) - 0.5 * math.log(math.pi)

    def log_cdf(self, z: Tensor) -> Tensor:
        s = torch.atan2(torch.full_like(z, self.scale), z.abs())
        log_tail = s.log() - math.log(math.pi) if self.df == 1 else self._log_tail(s)
        right = torch.log1p(-log_tail.exp().clamp(max=0.5))
        return torch.where(z < 0, log_tail, right)

    def log_hazard(self, z: Tensor, log_cdf: Tensor) -> Tensor:
        density = -(self.df + 1) / 2 * torch.log1p(z * z / self.df)
        return density + self.log_constant - math.log(self.scale) - log_cdf

    def nodes(self, rows: Tensor, aim: Aim) -> Nodes:
        return crowded(self, rows, aim, df=self.df, scale=self.scale)

    def plan(self, n: int, relative: bool) -> Plan:
        """Table layout with nodes that turn from even to logarithmic spacing.

        Nodes x = t + r exp((t - b) / r) - r exp((a - t) / r) at equal steps of t, with r = df: even where the logits of
        the table lie, then in equal steps of log x, where powers x^-df turn into exponentials.
        """
        gap = self.gap(LOG_ERROR - math.log(n))
        depth = DEPTH if relative else min(DEPTH, gap)
        error = LOG_ERROR - (self.df * math.log1p(depth / self.scale) if relative else 0.0)
        low, high = max(self.quantile(error), self.quantile(error / 2) - depth), self.far(error - math.log(n))
        r, a, b = self.df, -depth - 2 * self.df, 2 * self.df
        sharp = self._steepest(n)
        step = 0.38 * min(self.scale, 1 / sharp)
        ends = (r * math.log1p(max(-low, high) / r) + b + depth) / step
        t = torch.arange(-math.ceil(ends), math.ceil(ends) + 1, dtype=torch.float64) * step
        right, left = ((t - b) / r).exp(), ((a - t) / r).exp()
        x, slope = t + r * (right - left), 1 + right + left
        used = (x > low) & (x < high)
        return Plan(x[used], slope[used] * step, depth, 1 / (12 * max(1.0, sharp)), 6, relative or gap > depth)

    def _steepest(self, n: int) -> float:
        """Largest slope of the logarithm of the tail up to where one of n classes is likely to lie beyond."""
        z = min(self.scale, self.far(-math.log(2 * n)))
        return (self.df + 1) * z / (self.df + z * z)

    @property
    def pairs(self) -> bool:
        return self.df == 1

    def log_behind(self, d: Tensor) -> Tensor:
        return (torch.atan2(torch.full_like(d, 2.0), d) / math.pi).log()

    def draw(self, like: Tensor, generator: Generator | None = None) -> Tensor:
        radius = torch.expm1(-2 / self.df * uniforms(like, generator).log()).mul(self.df).sqrt()  # Bailey, 1994
        return radius * torch.cos(2 * math.pi * uniforms(like, generator))

    def direct(self, rows: Tensor, cotangent: Tensor | None, relative: bool) -> tuple[Tensor, tuple[Tensor, ...]]:
        served = _tails.serves(self, rows, relative)
        if not bool(served.any()):
            return served, ()
        if cotangent is None:
            return served, _tails.run(self, rows[served], relative)
        return served, (_tails.pull(self, rows[served], cotangent[served], relative),)

    def tabled(self, n: int) -> float:
        return DEPTH / 2 if n <= FEW and _tails.knows(self) else math.inf

    def _log_tail(self, s: Tensor) -> Tensor:
        y, series = s * s * (8 / math.pi**2) - 1, _series(self.df)
        total = series[-1] * y
        for coefficient in series[-2:0:-1]:
            total = (total + coefficient) * y
        return total + (series[0] + self.df * s.log())


@functools.lru_cache(maxsize=64)
def _series(df: float) -> list[float]:
    """Coefficients c_k with log F(-sqrt(df) cot(s)) = df log(s) + sum_k c_k (8 s^2 / pi^2 - 1)^k for 0 < s <= pi / 2.

    The sum is the logarithm of int_0^1 v^(df - 1) (sin(s v) / (s v))^(df - 1) dv, up to a constant: smooth in s^2.
    """
    node, weight = roots_jacobi(24 + int(df / 4), 0.0, df - 1)
    node, log_weight = (node + 1) / 2, np.log(weight) - df * math.log(2) + Student(df).log_constant

    def log_integral(y: Any) -> Any:
        return logsumexp(log_weight + (df - 1) * np.log(np.sinc(np.sqrt(y)[:, None] * node / math.pi)), axis=1)

    fit = np.polynomial.Chebyshev.interpolate(log_integral, 12 + int(df / 6), [0, (math.pi / 2) ** 2])
    return [float(c) for c in np.polynomial.chebyshev.cheb2poly(fit.coef)]
