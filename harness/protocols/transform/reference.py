"""Independent reference for transforms that are the argmax of noise: adaptive quadrature over one class's own noise.

With noise e of distribution F, p_i = E[prod over j != i of F(mu_i - mu_j + e_i)]. The expectation runs over the upper
tail s = 1 - F(e_i) on a logarithmic scale, s = exp(-u), where the integrand is wide for every n. It is smooth but for
noise with a bound: it has a kink where another class reaches a bound, and is integrated from one to the next.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy
import torch
from torch import Tensor

from harness.random import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHECKS = 12
"""Number of (row, class) pairs that are checked."""
EDGES = (0.0, 0.1, 1.0, 3.0, 6.0, 10.0, 15.0, 25.0, 40.0)
"""Ends of the parts into which -log of the upper tail is divided."""


KINKS = 400
"""Most kinks between which it is integrated: the more there are, the weaker is each, and the longer it takes."""


class Noise(Protocol):
    """Methods used of a frozen distribution of scipy.stats."""

    def logcdf(self, x: NDArray[numpy.float64], /) -> NDArray[numpy.float64]:
        """Return logarithms of P[noise <= x]."""

    def isf(self, q: float, /) -> float:
        """Return the value that is exceeded with probability q."""

    def logsf(self, x: NDArray[numpy.float64], /) -> NDArray[numpy.float64]:
        """Return logarithms of P[noise > x]."""

    def support(self) -> tuple[float, float]:
        """Return the bounds of the noise."""


def checked(noise: Noise, logits: Tensor, seed: int) -> list[tuple[int, int, float]]:
    """Return (row, class, probability) for a fixed number of pairs; every other one is the row's best class.

    `noise` is a frozen distribution of scipy.stats; logits [batch, n] float64.
    """
    draw = generator(seed, "checks")
    rows = torch.randint(0, len(logits), (CHECKS,), generator=draw).tolist()
    columns = torch.randint(0, logits.shape[1], (CHECKS,), generator=draw).tolist()
    pairs = [(r, int(logits[r].argmax()) if k % 2 else c) for k, (r, c) in enumerate(zip(rows, columns, strict=True))]
    return [(row, column, probability(noise, logits[row].numpy(), column)) for row, column in pairs]


def error_of(probabilities: Tensor, noise: Noise, logits: Tensor, seed: int) -> float:
    """Return the largest error of probabilities [batch, n] at the checked pairs. Biased downward: few are checked."""
    pairs = checked(noise, logits, seed)
    return max(abs(float(probabilities[row, column]) - exact) for row, column, exact in pairs)


def probability(noise: Noise, mu: NDArray[numpy.float64], i: int) -> float:
    """Return P[argmax_j(mu_j + e_j) = i] for logits `mu` [n], to about 1e-12; NaN if the error may exceed 1e-9."""
    from scipy.integrate import quad

    gaps = mu[i] - numpy.delete(mu, i)

    def integrand(u: float) -> float:
        s = math.exp(-u)
        with numpy.errstate(divide="ignore"):
            return float(math.exp(noise.logcdf(gaps + noise.isf(s)).sum()) * s)

    edges = sorted({*EDGES, *_kinks(noise, gaps)})
    # With full_output a bound that rounding prevents is no warning: the estimated error is checked here.
    parts = [quad(integrand, a, b, epsabs=1e-14, epsrel=1e-13, limit=400, full_output=1) for a, b in pairwise(edges)]
    value, error = (math.fsum(part[place] for part in parts) for place in (0, 1))
    return value if error < 1e-9 else math.nan


def _kinks(noise: Noise, gaps: NDArray[numpy.float64]) -> list[float]:
    """Return -log of the upper tail of e_i where another class reaches a bound of the noise."""
    bounds = [bound for bound in noise.support() if math.isfinite(bound)]
    with numpy.errstate(divide="ignore"):
        found = [-noise.logsf(bound - gaps) for bound in bounds]
    inside = [float(u) for part in found for u in part if EDGES[0] < u < EDGES[-1]]
    return inside if len(inside) <= KINKS else []
