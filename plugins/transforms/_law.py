"""Noise distributions with mean or center 0 and unit scale: the properties that the quadrature needs."""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from torch import Generator, Tensor


LOG_ERROR = math.log(1e-8)
"""Logarithm of the error that tables are built for."""


class Aim(NamedTuple):
    """Requirement on a grid: the logarithm of the error allowed, relative to each p (`relative`) or to 1."""

    log_error: float
    relative: bool


Nodes = tuple["Tensor", "Tensor"]


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

    def direct(self, rows: Tensor, cotangent: Tensor | None, relative: bool) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Float32 rows [r] that compiled functions of the law can process, and what `Race.run` or `Race.pull` gives."""
        return torch.zeros(len(rows), dtype=torch.bool, device=rows.device), ()

    def tabled(self, n: int) -> float:
        """Distance below the best of n classes from which `direct` is faster than a table that reaches further."""
        return math.inf

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
