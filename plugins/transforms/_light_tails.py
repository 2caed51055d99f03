"""Noise with light tails on both sides: the normal and the logistic distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import logsigmoid

from ._grids import even
from ._law import LOG_ERROR, Aim, Law, Nodes, Plan, uniforms

if TYPE_CHECKING:
    from torch import Generator, Tensor


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
