"""Noise whose density has kinks or ends: quadrature nodes are placed between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ._grids import NEVER, left_end, log_max_cdf, panels, spread, steps_between
from ._law import Aim, Law, Nodes, uniforms

if TYPE_CHECKING:
    from torch import Generator, Tensor

FEW = 32
"""Up to so many classes are integrated exactly under uniform noise."""

KINKS = 1024
"""With more classes than that the kinks are so weak that nodes need not avoid them."""


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

    def log_behind(self, d: Tensor) -> Tensor:
        return (0.5 + 0.25 * d).log() - d

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
        """Always True: the density jumps at the ends of the interval."""
        return True

    def nodes(self, rows: Tensor, aim: Aim) -> Nodes:
        """Panels between the kinks, 1 above the logits (sorted), on the part of (0, 1) that matters.

        Between kinks the integrand of k classes is a polynomial of degree k - 1, for which (k + 1) / 2 nodes are exact.
        """
        k = rows.shape[1]
        if k <= FEW:
            return panels(torch.cat([rows[:, :1], (1 + rows.flip(1)).clamp(min=0.0)], 1), (k + 1) // 2)
        a = self._start(rows.detach(), aim) + rows[:, :1]
        kinks = torch.maximum(1 + rows[:, :KINKS], a)
        points, count = (4, 64) if k <= 256 else (3, 128)
        count = 6 * count if aim.relative else count
        even_ends = a + (1 + rows[:, :1] - a) * torch.linspace(0, 1, count + 1, dtype=rows.dtype, device=rows.device)
        return panels(torch.cat([even_ends, kinks], 1).sort(1).values, points)

    def contenders(self, rows: Tensor, aim: Aim) -> Tensor | None:
        """Classes less than 1 below the best, where P(max <= x) is not negligible; sorted, the best first."""
        near = rows.topk(int((rows > -1).sum(1).max()))
        if near.values.shape[1] <= FEW:
            return near.indices
        return near.indices[:, : int((near.values > self._start(near.values, aim) - 1).sum(1).max())]

    def log_behind(self, d: Tensor) -> Tensor:
        near = d < 1
        return torch.where(near, 2 * torch.log1p(-torch.where(near, d, 0.0)) - math.log(2), -torch.inf)

    def _start(self, rows: Tensor, aim: Aim) -> Tensor:
        log_error: Tensor | float = aim.log_error
        if aim.relative:
            lowest = torch.where(rows > -1, rows, 0.0).amin(1, keepdim=True)
            log_error = log_error + log_max_cdf(self, rows, 1 + lowest).clamp(min=-300.0)
        zero = torch.zeros_like(rows[:, :1])
        return left_end(self, rows, zero, zero + 1, log_error)

    def draw(self, like: Tensor, generator: Generator | None = None) -> Tensor:
        return uniforms(like, generator)
