"""Noise whose density has kinks or ends: the nodes go between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from harness.stock.transforms._grids import (
    NEVER,
    Aim,
    Nodes,
    left_end,
    log_max_cdf,
    panels,
    spread,
    steps_between,
)
from harness.stock.transforms._laws import Law, uniforms

if TYPE_CHECKING:
    from torch import Generator, Tensor


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
        count = 6 * count if aim.relative else count
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
