"""Noise distributions with mean or centre 0 and unit scale: what the quadrature asks of them."""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from harness.stock.transforms._grids import (
    NEVER,
    Aim,
    Nodes,
    even,
    left_end,
    log_max_cdf,
    panels,
    spread,
    steps_between,
)
from torch.nn.functional import logsigmoid

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Law(ABC):
    """One distribution: F its distribution function, f its density, h = f / F. All functions act elementwise."""

    @abstractmethod
    def log_cdf(self, z: Tensor) -> Tensor:
        """log F(z), relatively accurate far to the left."""

    @abstractmethod
    def log_hazard(self, z: Tensor, log_cdf: Tensor) -> Tensor:
        """log h(z), where log F(z) is at hand."""

    @abstractmethod
    def draw(self, like: Tensor, generator: Generator | None = None) -> Tensor:
        """Independent draws in the shape, type and place of `like`."""

    @abstractmethod
    def nodes(self, rows: Tensor, aim: Aim) -> Nodes:
        """The grid for rows [r, n], float64: nodes and log-weights [r, q]."""

    @property
    def breaks(self) -> bool:
        """Whether the density has jumps, so that second derivatives need nodes that move with the logits."""
        return False

    def contenders(self, rows: Tensor, aim: Aim) -> Tensor | None:
        """The places [r, k] of the classes that can win, where the law can tell; None means all."""
        return None

    def tabulated(self, n: int) -> tuple[float, float, float, float]:
        """For `_table.py`: the step between nodes, how far down the integrand of a class lies, the size of a cell,
        how far below the best logarithms are tabulated.
        """
        raise NotImplementedError

    @property
    def has_table(self) -> bool:
        """Whether float32 is computed from tables: for smooth laws with light tails."""
        return type(self).tabulated is not Law.tabulated

    def far(self, log_tail: float) -> float:
        """z > 0 with log(1 - F(z)) = `log_tail` at most."""
        return -self.quantile(log_tail)

    def quantile(self, log_p: float) -> float:
        """z with log F(z) = `log_p` < 0, by bisection."""
        return _quantile(self, log_p)

    def quantiles(self, log_p: Tensor) -> Tensor:
        """z [k] with log F(z) = `log_p` [k], float64, by bisection between -1e30 and 1e30 on a scale of sinh."""
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


@dataclass(frozen=True)
class Gaussian(Law):
    """The standard normal distribution. log F is relatively accurate for z > -37."""

    def log_cdf(self, z: Tensor) -> Tensor:
        return torch.erfc(z * -math.sqrt(0.5)).mul(0.5).clamp(min=1e-310).log()

    def log_hazard(self, z: Tensor, log_cdf: Tensor) -> Tensor:
        return -0.5 * z * z - 0.5 * math.log(2 * math.pi) - log_cdf

    def nodes(self, rows: Tensor, aim: Aim) -> Nodes:
        step = self.tabulated(rows.shape[1])[0] * (1.0 if aim.log_error < -20 else 1.28)
        return even(self, rows, aim, step=step, reach=0.5, most=36.0)

    def tabulated(self, n: int) -> tuple[float, float, float, float]:
        return min(0.55, 0.8 / math.log(n + 1)), 0.5, 1 / 16 if n <= 64 else 1 / 32 if n <= 1024 else 1 / 48, 24.0

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

    def tabulated(self, n: int) -> tuple[float, float, float, float]:
        return 0.5, 1.0, 1 / 10, 60.0

    def draw(self, like: Tensor, generator: Generator | None = None) -> Tensor:
        return uniforms(like, generator).logit()


@dataclass(frozen=True)
class Laplace(Law):
    """The Laplace distribution with density exp(-|z|) / 2."""

    def log_cdf(self, z: Tensor) -> Tensor:
        left = z.clamp(max=0.0) - math.log(2)
        return torch.where(z < 0, left, torch.log1p(-0.5 * torch.exp(-z.clamp(min=0.0))))

    def log_hazard(self, z: Tensor, log_cdf: Tensor) -> Tensor:
        return torch.where(z < 0, torch.zeros_like(z), -z - math.log(2) - log_cdf)

    def nodes(self, rows: Tensor, aim: Aim) -> Nodes:
        """Panels between the kinks, which lie at the logits: at most 43 of them where P(max <= x) still matters."""
        n = rows.shape[1]
        right = torch.full_like(rows[:, :1], self.far(aim.log_error - math.log(n)))
        low = torch.full_like(right, self.quantile(aim.log_error))
        a = left_end(self, rows, low, right, aim.log_error)
        if aim.relative:
            a = torch.minimum(a, low - spread(rows).clamp(max=300.0))
        kinks = rows.topk(min(48, n)).values
        k, width = steps_between(a, right, 2.0)
        even_ends = torch.where(k >= 0, a + width * k, right)
        return panels(torch.cat([even_ends, kinks.clamp(a, right)], 1).sort(1).values, 8)

    def draw(self, like: Tensor, generator: Generator | None = None) -> Tensor:
        u = uniforms(like, generator) - 0.5
        return -u.sign() * torch.log1p(-2 * u.abs().clamp(max=0.5 - 2**-26))


@dataclass(frozen=True)
class Uniform(Law):
    """The uniform distribution on (0, 1)."""

    def log_cdf(self, z: Tensor) -> Tensor:
        inside = (z > 0) & (z < 1)
        return torch.where(inside, torch.where(inside, z, 0.5).log(), torch.where(z > 0, 0.0, NEVER))

    def log_hazard(self, z: Tensor, log_cdf: Tensor) -> Tensor:
        return torch.where((z > 0) & (z < 1), -log_cdf, NEVER)

    @property
    def breaks(self) -> bool:
        """True: the ends of the interval."""
        return True

    def nodes(self, rows: Tensor, aim: Aim) -> Nodes:
        """Panels between the kinks, 1 above the logits (sorted), on the part of (0, 1) that matters."""
        a = self._start(rows.detach(), aim) + rows[:, :1]
        kinks = torch.maximum(1 + rows[:, : min(1024, rows.shape[1])], a)
        points, count = (8, 32) if kinks.shape[1] <= 32 else (4, 64) if kinks.shape[1] <= 256 else (3, 128)
        even_ends = a + (1 + rows[:, :1] - a) * torch.linspace(0, 1, count + 1, dtype=rows.dtype, device=rows.device)
        return panels(torch.cat([even_ends, kinks], 1).sort(1).values, points)

    def contenders(self, rows: Tensor, aim: Aim) -> Tensor | None:
        """Those less than 1 below the best, and not where P(max <= x) is negligible; sorted, the best first."""
        count = int((rows > self._start(rows, aim) - 1).sum(1).max())
        return rows.topk(count).indices

    def _start(self, rows: Tensor, aim: Aim) -> Tensor:
        log_error: Tensor | float = aim.log_error
        if aim.relative:
            lowest = torch.where(rows > -1, rows, 0.0).amin(1, keepdim=True)
            log_error = log_error + log_max_cdf(self, rows, 1 + lowest).clamp(min=-300.0)
        zero = torch.zeros_like(rows[:, :1])
        return left_end(self, rows, zero, zero + 1, log_error)

    def draw(self, like: Tensor, generator: Generator | None = None) -> Tensor:
        return uniforms(like, generator)
