"""Any torch distribution with cdf and log_prob as a law, on panels that are split where the quadrature is inexact."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ._grids import NEVER, left_end, log_max_cdf, panels
from ._law import Aim, Law, Nodes

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.distributions import Distribution

ROUNDS, SPLITS, POINTS = 14, 12, 8


@dataclass(frozen=True)
class OfTorch(Law):
    """The distribution of this name in torch.distributions, with these parameters."""

    name: str
    parameters: tuple[tuple[str, float], ...]

    def log_cdf(self, z: Tensor) -> Tensor:
        law, inside = self._inside(z)
        cdf = law.cdf(torch.where(inside, z, self._middle)).clamp(0, 1)
        positive = inside & (cdf > 0)
        log = torch.where(positive, cdf, 1.0).log()
        return torch.where(positive, log, torch.where(z > self._middle, 0.0, NEVER))

    def log_hazard(self, z: Tensor, log_cdf: Tensor) -> Tensor:
        law, inside = self._inside(z)
        log = law.log_prob(torch.where(inside, z, self._middle)) - log_cdf
        return torch.where(inside & (log_cdf > NEVER / 2), log, NEVER)

    def nodes(self, rows: Tensor, aim: Aim) -> Nodes:
        """Panels from equal steps of asinh and the high logits, the worst ones bisected repeatedly.

        The error of a panel is known: its share of P(max <= x) is the difference at its ends.
        """
        low = torch.full_like(rows[:, :1], self.quantile(max(aim.log_error, -30.0)))
        high = torch.full_like(low, self.far(max(aim.log_error - math.log(rows.shape[1]), -34.0)))
        a = left_end(self, rows, low - 1e-3 * low.abs(), high, aim.log_error, steps=30)
        middle = left_end(self, rows, a, high, -1.0, steps=40)
        t = torch.linspace(0, 1, 25, dtype=rows.dtype, device=rows.device)
        left, right = (a - middle).asinh(), (high - middle).asinh()
        best = rows.topk(min(48, rows.shape[1])).values
        kinks = torch.cat([(best + jump).clamp(a, high) for jump in self.jumps], 1)
        ends = torch.cat([middle + torch.sinh(left + t * (right - left)), kinks], 1).sort(1).values
        for _ in range(ROUNDS):
            x, log_w = panels(ends, POINTS)
            worst = self._errors(rows, ends, x, log_w).topk(SPLITS).indices
            ends = torch.cat([ends, (ends.gather(1, worst) + ends.gather(1, worst + 1)) / 2], 1).sort(1).values
        return panels(ends, POINTS)

    def far(self, log_tail: float) -> float:
        return _far(self, log_tail)

    def draw(self, like: Tensor, generator: Generator | None = None) -> Tensor:
        if generator is not None:
            u = torch.rand(like.shape, generator=generator, dtype=torch.float64, device=like.device)
            return self._law(like.device).icdf(u.clamp(1e-16, 1 - 1e-16)).to(like.dtype)
        draws: Tensor = self._law(like.device).sample(like.shape)
        return draws.to(like.dtype)

    @property
    def jumps(self) -> tuple[float, float]:
        """Ends of the support, where the density may jump; 0 for infinite ones."""
        support = self._law(torch.device("cpu")).support
        return float(getattr(support, "lower_bound", 0.0)), float(getattr(support, "upper_bound", 0.0))

    def _errors(self, rows: Tensor, ends: Tensor, x: Tensor, log_w: Tensor) -> Tensor:
        """Absolute error |quadrature - P(left < max <= right)| of each panel [r, m]."""
        exact = log_max_cdf(self, rows, ends).exp().diff(dim=-1)
        parts = []
        for row, node, weight in zip(rows, x, log_w, strict=True):
            z = node[:, None] - row
            log_cdf = self.log_cdf(z)
            total = (self.log_hazard(z, log_cdf) + (log_cdf.sum(-1) + weight)[:, None]).exp().sum(-1)
            parts.append(total.view(-1, POINTS).sum(-1))
        return (torch.stack(parts) - exact).abs()

    def _inside(self, z: Tensor) -> tuple[Distribution, Tensor]:
        law = self._law(z.device)
        return law, (law.support or torch.distributions.constraints.real).check(z) & (z.abs() < 1e100)

    def _law(self, device: torch.device) -> Distribution:
        return distribution(self.name, self.parameters, device)

    @property
    def _middle(self) -> float:
        """A point of the support."""
        return _median(self.name, self.parameters)


@functools.lru_cache(maxsize=64)
def distribution(name: str, parameters: tuple[tuple[str, float], ...], device: torch.device) -> Distribution:
    """The distribution, in float64. Raises the errors of torch where the parameters do not fit."""
    values = {key: torch.tensor(value, dtype=torch.float64, device=device) for key, value in parameters}
    defaults: dict[str, Any] = {"loc": 0.0, "scale": 1.0} if not parameters else {}
    values |= {key: torch.tensor(value, dtype=torch.float64, device=device) for key, value in defaults.items()}
    law: Distribution = getattr(torch.distributions, name)(**values, validate_args=False)
    return law


@functools.lru_cache(maxsize=64)
def _median(name: str, parameters: tuple[tuple[str, float], ...]) -> float:
    law = distribution(name, parameters, torch.device("cpu"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return float(law.sample((101,)).median())


@functools.lru_cache(maxsize=256)
def _far(law: OfTorch, log_tail: float) -> float:
    low, high = 0.0, 70.0
    for _ in range(80):
        middle = (low + high) / 2
        z = torch.tensor([math.sinh(middle)], dtype=torch.float64)
        heavy = bool(-torch.expm1(law.log_cdf(z)) > math.exp(log_tail))
        low, high = (middle, high) if heavy else (low, middle)
    return math.sinh(high)
