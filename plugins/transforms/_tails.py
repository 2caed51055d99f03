"""Quadrature of Student's t noise by compiled functions, for float32 rows that reach below the tables.

Nodes x = m + scale sinh(t) around every class m that is the best with a probability beyond the error, from class to
class halfway, in panels of Gauss-Legendre. The error of 8 nodes is of the order of rho^-16, where rho is the sum of the
half axes of the largest ellipse around the panel, relative to its half width, without a pole. Poles lie pi / 2 beside
t = 0 and, at a neighbor, log 2 beyond the last panel: panels 1.6 wide, or 2.4 / df, since the integrand turns within
1 / df, keep rho above 2.8, whose power is 7e-8, the rounding of float32. Farther from the class a panel is as wide as
its distance, up to 2.4, or to 3.2 where the integrand is small: there are no poles near, and where k classes lie
together the integrand falls as exp(-k df t), within such a panel by a factor whose error never exceeds 1e-10.

Of many classes below every node those in a cell are replaced by its Chebyshev points: F and h of a class at distance d
scales are functions of d whose poles lie one scale beside the nodes, so in half an octave of d + 1 / 2 the 12 points
leave 3e-9 of h for df = 3 and 2e-7 for df = 6, and in an octave 3e-8 for df = 1.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from . import _kernel
from ._law import LOG_ERROR

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

TERMS, POINTS, DEGREE = 9, 8, 12
"""Numbers of coefficients, of nodes in a panel and of points in a cell, as in `_student.h` and `_tails.cpp`."""
LEAST = math.log(1e-30)
"""Logarithm of the smallest probability whose factors float32 holds."""


class Tailed(Protocol):
    """Properties of Student's t that this module needs."""

    @property
    def df(self) -> float:
        """Degrees of freedom."""

    @property
    def scale(self) -> float:
        """Distance from the center to the poles of the density."""

    def log_cdf(self, z: Tensor) -> Tensor:
        """Value of log F(z)."""

    def log_hazard(self, z: Tensor, log_cdf: Tensor) -> Tensor:
        """Value of log h(z)."""

    def __hash__(self) -> int:
        """Hash, since tables are kept for each law."""


def knows(law: Tailed) -> bool:
    """True for the laws that the compiled functions are made for."""
    return 1 <= law.df <= 6


def serves(law: Tailed, rows: Tensor, relative: bool) -> Tensor:
    """Rows [r] that the compiled functions can process: their rarest winner is within the range of float32."""
    if rows.device.type != "cpu" or not knows(law) or _kernel.library() is None:
        return torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
    if not relative:
        return torch.ones(len(rows), dtype=torch.bool)
    depth = rows.amax(1).double() - rows.masked_fill(rows == -torch.inf, torch.inf).amin(1).double()
    return (law.df + 1) * torch.log1p(depth / law.scale) < -LEAST


def run(law: Tailed, rows: Tensor, relative: bool) -> tuple[Tensor, Tensor]:
    """Probabilities or log-probabilities of rows [r, n], and their sum before normalization [r, 1]."""
    out, mass = torch.empty_like(rows, memory_format=torch.contiguous_format), rows.new_empty(len(rows), 1)
    _call(law, rows, None, out, mass, relative)
    return out, mass


def pull(law: Tailed, rows: Tensor, cotangent: Tensor, relative: bool) -> Tensor:
    """Product of the cotangent [r, n] with the Jacobian of `run`, [r, n]."""
    out = torch.empty_like(rows, memory_format=torch.contiguous_format)
    _call(law, rows, cotangent.float().contiguous(), out, None, relative)
    return out


def _call(law: Tailed, rows: Tensor, v: Tensor | None, out: Tensor, mass: Tensor | None, relative: bool) -> None:
    library = _kernel.library()
    assert library is not None
    library.call("tails", rows.contiguous(), v, *_tables(law), out, mass, *rows.shape, int(relative))


@functools.lru_cache(maxsize=64)
def _tables(law: Tailed) -> tuple[Tensor, ...]:
    """Numbers of the law, polynomials [4, TERMS] float32, nodes and weights [2, POINTS], a cell [13, 12]."""
    width = min(1.6, 2.4 / law.df)

    def at(y: Any) -> tuple[Tensor, Tensor, Tensor]:
        s = torch.as_tensor(np.sqrt((y + 1) * math.pi**2 / 8))
        z = -law.scale / s.tan()
        tail = law.log_cdf(z)
        return s, tail, law.log_hazard(z, tail)

    def tail(y: Any) -> Any:
        s, log_tail, _ = at(y)
        return (log_tail - law.df * s.log()).exp().numpy()

    def hazard(y: Any) -> Any:
        s, _, log_hazard = at(y)
        return (log_hazard - s.log()).exp().numpy()

    def arc(y: Any) -> Any:
        t = np.sqrt((y + 1) / 2)
        return np.arctan(t) / t

    def log(y: Any) -> Any:  # of 1 - u, over -u, for 0 < u <= 1 / 2
        u = (y + 1) / 4
        return -np.log1p(-u) / u

    functions = arc, tail, hazard, log
    series = torch.tensor(np.array([_polynomial(f) for f in functions]), dtype=torch.float32)
    node, weight = np.polynomial.legendre.leggauss(POINTS)
    rule = torch.tensor(np.array([(node + 1) / 2, weight / 2]))
    return torch.tensor([law.df, law.scale, LOG_ERROR, width], dtype=torch.float64), series, rule, _cell()


def _cell() -> Tensor:
    """Chebyshev points of [-1, 1], and the coefficients of powers in the polynomial that is 1 at one of them."""
    point = np.polynomial.chebyshev.chebpts1(DEGREE)
    basis = np.linalg.inv(np.vander(point, increasing=True)).T
    return torch.tensor(np.concatenate([point[None], basis])).contiguous()


def _polynomial(function: Callable[[Any], Any]) -> Any:
    fit: Any = np.polynomial.Chebyshev.interpolate(function, TERMS - 1)
    found = np.zeros(TERMS)
    coefficients = np.polynomial.chebyshev.cheb2poly(fit.coef)
    found[: len(coefficients)] = coefficients
    return found
