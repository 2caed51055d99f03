"""Noise distributions with mean or center 0 and unit scale: the properties that the quadrature needs."""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn.functional import logsigmoid

from ._grids import Aim, Nodes, even

if TYPE_CHECKING:
    from torch import Generator, Tensor


LOG_ERROR = math.log(1e-8)
"""Logarithm of the error that tables are built for."""


class Plan(NamedTuple):
    """Layout of the table of a law.

    Nodes x [q] with their weights, float64; how far below the best logit the cells reach, the width of a cell, and how
    many cells a logit is distributed to; whether a class further down matters, so that its row is left to the
    quadrature.
    """

    x: Tensor
    weights: Tensor
    depth: float
    cell: float
    points: int
    mends: bool


class Law(ABC):
    """One distribution: F its distribution function, f its density, h = f / F. All functions act elementwise."""

    @abstractmethod
    def log_cdf(self, z: Tensor) -> Tensor:
        """Value of log F(z), relatively accurate far to the left."""

    @abstractmethod
    def log_hazard(self, z: Tensor, log_cdf: Tensor) -> Tensor:
        """Value of log h(z), given log F(z)."""

    @abstractmethod
    def draw(self, like: Tensor, generator: Generator | None = None) -> Tensor:
        """Independent draws with the shape, type and device of `like`."""

    @abstractmethod
    def nodes(self, rows: Tensor, aim: Aim) -> Nodes:
        """Grid for rows [r, n], float64: nodes and log-weights [r, q]."""

    @property
    def breaks(self) -> bool:
        """True if the density has jumps, so that second derivatives need nodes that move with the logits."""
        return False

    @property
    def pairs(self) -> bool:
        """True if `log_behind` is known."""
        return type(self).log_behind is not Law.log_behind

    def log_behind(self, d: Tensor) -> Tensor:
        """Value of log P(e_1 - e_2 > d), d >= 0: the closed form for two classes, differentiable twice."""
        raise NotImplementedError

    def contenders(self, rows: Tensor, aim: Aim) -> Tensor | None:
        """Positions [r, k] of the classes that can win, where the law can tell; None means all."""
        return None

    def plan(self, n: int, relative: bool) -> Plan:
        """Table layout for float32 rows of up to `n` classes, of probabilities or (`relative`) their logarithms."""
        raise NotImplementedError

    @property
    def has_table(self) -> bool:
        """True if float32 is computed from tables: for smooth laws."""
        return type(self).plan is not Law.plan

    @property
    def steep(self) -> bool:
        """True if log-probabilities of common logits exceed the range of float64 (see `_steep.py`)."""
        return False

    def far(self, log_tail: float) -> float:
        """Smallest z > 0 found with log(1 - F(z)) = `log_tail` at most."""
        return -self.quantile(log_tail)

    def gap(self, log_tail: float) -> float:
        """Lead of a class that another overcomes with a log-probability of `log_tail` at most."""
        return self.far(log_tail) - self.quantile(log_tail)

    def quantile(self, log_p: float) -> float:
        """Point z with log F(z) = `log_p` < 0, by bisection."""
        return _quantile(self, log_p)

    def quantiles(self, log_p: Tensor) -> Tensor:
        """Points z [k] with log F(z) = `log_p` [k], float64, by bisection between -1e30 and 1e30 on a scale of sinh."""
        low, high = torch.full_like(log_p, -70.0), torch.full_like(log_p, 70.0)
        for _ in range(80):
            middle = (low + high) / 2
            below = self.log_cdf(middle.sinh()) < log_p
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return ((low + high) / 2).sinh()


@functools.lru_cache(maxsize=1024)
def _quantile(law: Law, log_p: float) -> float:
    return float(law.quantiles(torch.tensor([log_p], dtype=torch.float64)))


def uniforms(like: Tensor, generator: Generator | None) -> Tensor:
    """Uniform draws inside (0, 1)."""
    u = torch.rand(like.shape, generator=generator, dtype=like.dtype, device=like.device)
    return u.clamp(torch.finfo(like.dtype).tiny, 1 - torch.finfo(like.dtype).eps)


def light(law: Law, n: int, relative: bool, *, step: float, reach: float, cell: float, below: float) -> Plan:
    """Equal steps for light tails on both sides.

    The integrand of a class d below the best lies `reach` * d below; logarithms are tabulated down to `below`.
    """
    low, high = law.quantile(LOG_ERROR), law.far(LOG_ERROR - math.log(n))
    depth = below if relative else law.gap(LOG_ERROR - math.log(n))
    x = torch.arange(low * 0.75 - reach * depth if relative else low, high + step, step, dtype=torch.float64)
    return Plan(x, torch.full_like(x, step), depth, cell, 6 if relative else 4, relative)


@dataclass(frozen=True)
class Gaussian(Law):
    """The standard normal distribution. log F is relatively accurate for z > -37."""

    def log_cdf(self, z: Tensor) -> Tensor:
        return torch.erfc(z * -math.sqrt(0.5)).mul(0.5).clamp(min=1e-310).log()

    def log_hazard(self, z: Tensor, log_cdf: Tensor) -> Tensor:
        return -0.5 * z * z - 0.5 * math.log(2 * math.pi) - log_cdf

    def nodes(self, rows: Tensor, aim: Aim) -> Nodes:
        step = self._step(rows.shape[1]) * (0.78 if aim.log_error < -20 else 1.0)
        return even(self, rows, aim, step=step, reach=0.5, most=36.0)

    def plan(self, n: int, relative: bool) -> Plan:
        few, many = (1 / 32, 1 / 48) if relative else (1 / 24, 1 / 32)
        cell = 1 / 16 if n <= 64 else few if n <= 1024 else many
        return light(self, n, relative, step=self._step(n), reach=0.5, cell=cell, below=24.0)

    def gap(self, log_tail: float) -> float:
        return math.sqrt(2) * self.far(log_tail)

    def log_behind(self, d: Tensor) -> Tensor:
        scaled: Tensor = torch.special.erfcx(d / 2)
        return (0.5 * scaled).log() - d * d / 4

    def _step(self, n: int) -> float:
        return min(0.7, 1.02 / math.log(n + 1))

    def draw(self, like: Tensor, generator: Generator | None = None) -> Tensor:
        return torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device)


@dataclass(frozen=True)
class Logistic(Law):
    """The standard logistic distribution, F(z) = 1 / (1 + exp(-z)), variance pi^2 / 3."""

    def log_cdf(self, z: Tensor) -> Tensor:
        return logsigmoid(z)

    def log_hazard(self, z: Tensor, log_cdf: Tensor) -> Tensor:
        return log_cdf - z  # f = F (1 - F)

    def nodes(self, rows: Tensor, aim: Aim) -> Nodes:
        return even(self, rows, aim, step=0.4, reach=1.0, most=300.0)

    def plan(self, n: int, relative: bool) -> Plan:
        return light(self, n, relative, step=0.5, reach=1.0, cell=1 / 10, below=60.0)

    def log_behind(self, d: Tensor) -> Tensor:
        """Logarithm of e^-d (d - 1 + e^-d) / (1 - e^-d)^2; its terms of second order cancel where d is small."""
        near = d < 0.1
        small, large = torch.where(near, d, 0.0), torch.where(near, 1.0, d)
        series = sum(((-small) ** k / math.factorial(k + 2) for k in range(8)), torch.zeros_like(d))
        shrunk = torch.where(near, series, (large + (-large).expm1()) / large.square())
        relative = sum(((-small) ** k / math.factorial(k + 1) for k in range(9)), torch.zeros_like(d))
        whole = torch.where(near, relative, -(-large).expm1() / large)
        return shrunk.log() - 2 * whole.log() - d

    def draw(self, like: Tensor, generator: Generator | None = None) -> Tensor:
        return uniforms(like, generator).logit()
