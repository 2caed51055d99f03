"""Student's t distribution, the Cauchy distribution (df = 1) among them."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from harness.stock.transforms._grids import Aim, Nodes, crowded
from harness.stock.transforms._laws import Law, uniforms
from scipy.special import roots_jacobi

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True)
class Student(Law):
    """Student's t with `df` degrees of freedom, any above 0.

    With z = -sqrt(df) cot(s), s in (0, pi): F(z) = c int_0^s sin(u)^(df - 1) du: the tail keeps its relative
    accuracy.
    """

    df: float

    @property
    def scale(self) -> float:
        """The distance from the centre to the poles of the density."""
        return math.sqrt(self.df)

    @property
    def log_constant(self) -> float:
        """log of 1 / int_0^pi sin^(df - 1)."""
        return math.lgamma((self.df + 1) / 2) - math.lgamma(self.df / 2) - 0.5 * math.log(math.pi)

    def log_cdf(self, z: Tensor) -> Tensor:
        left = torch.atan2(torch.full_like(z, self.scale), z.abs())
        log_tail = self._log_power_of_sine(left) + self.log_constant
        right = torch.log1p(-log_tail.exp().clamp(max=0.5))
        return torch.where(z < 0, log_tail, right)

    def log_hazard(self, z: Tensor, log_cdf: Tensor) -> Tensor:
        density = -(self.df + 1) / 2 * torch.log1p(z * z / self.df)
        return density + self.log_constant - math.log(self.scale) - log_cdf

    def nodes(self, rows: Tensor, aim: Aim) -> Nodes:
        return crowded(self, rows, aim, df=self.df, scale=self.scale)

    def draw(self, like: Tensor, generator: Generator | None = None) -> Tensor:
        radius = torch.expm1(-2 / self.df * uniforms(like, generator).log()).mul(self.df).sqrt()  # Bailey, 1994
        return radius * torch.cos(2 * math.pi * uniforms(like, generator))

    def _log_power_of_sine(self, s: Tensor) -> Tensor:
        """log int_0^s sin(u)^(df - 1) du for 0 < s <= pi / 2."""
        if self.df == 1:
            return s.log()
        if self.df == 2:
            return (2 * torch.sin(s / 2).square()).log()
        if self.df == 3:
            return _log_area(s)
        total = torch.zeros_like(s)
        for node, weight in zip(*_jacobi(self.df), strict=True):
            total = total + weight * torch.sinc(s * (node / math.pi)).clamp(min=1e-300).pow(self.df - 1)
        return total.log() + self.df * s.log()


def _log_area(s: Tensor) -> Tensor:
    """log of (s - sin(s) cos(s)) / 2, by its series where the two cancel."""
    small = s < 0.5
    y = (2 * torch.where(small, s, 0.25)).square()
    series = torch.ones_like(s)
    for k in range(8, 0, -1):
        series = 1 - y * series / ((2 * k + 2) * (2 * k + 3))
    direct = torch.where(small, torch.ones_like(s), s)
    exact = ((direct - direct.sin() * direct.cos()) / 2).log()
    return torch.where(small, 3 * s.log() + math.log(1 / 3) + series.log(), exact)


@functools.lru_cache(maxsize=64)
def _jacobi(df: float) -> tuple[list[float], list[float]]:
    """Nodes and weights for int_0^1 v^(df - 1) g(v) dv."""
    x, w = roots_jacobi(24 + int(df / 4), 0.0, df - 1)
    w = np.exp(np.log(w) - df * math.log(2))
    return ((x + 1) / 2).tolist(), w.tolist()
