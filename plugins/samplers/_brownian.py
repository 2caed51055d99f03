"""Normal draws of samplers from elsewhere, taken from the stream of the seed."""

from __future__ import annotations

import bisect
import math
from typing import TYPE_CHECKING

import torch

from harness import NoiseSource

if TYPE_CHECKING:
    from torch import Tensor


class Draws:
    """Standard normal draws, each one new, whatever the size of the batch."""

    def __init__(self, noise: NoiseSource) -> None:
        self._noise, self._count = noise, 0

    def __call__(self, x: Tensor) -> Tensor:
        """Draws like x [b, ...]."""
        self._count += 1
        return self._noise(self._count - 1, x)


class Brownian:
    """Increments of one Brownian motion W per sample, in sigma, as the `noise_sampler` of solvers of SDEs.

    Called with two levels it gives (W(end) - W(start)) / sqrt(|end - start|): a standard normal draw, independent of
    others where their intervals do not overlap, and with the right correlation where they do.
    """

    def __init__(self, draws: Draws, x: Tensor) -> None:
        self._draws, self._x = draws, x
        self._at: list[float] = []
        self._values: list[Tensor] = []

    def __call__(self, sigma: Tensor | float, sigma_next: Tensor | float) -> Tensor:
        """Draws [b, ...]."""
        start, end = float(sigma), float(sigma_next)
        if start == end:
            return torch.zeros_like(self._x)
        first, then = self._value(start), self._value(end)
        return ((then - first) / math.sqrt(abs(end - start))).to(self._x)

    def _value(self, sigma: float) -> Tensor:
        """W at a level, float64, by the law of the bridge between the nearest known ones."""
        k = bisect.bisect_left(self._at, sigma)
        if k < len(self._at) and self._at[k] == sigma:
            return self._values[k]
        value = self._drawn(sigma, k)
        self._at.insert(k, sigma)
        self._values.insert(k, value)
        return value

    def _drawn(self, sigma: float, k: int) -> Tensor:
        if not self._at:
            return torch.zeros_like(self._x, dtype=torch.float64)
        standard = self._draws(self._x).double()
        if k in (0, len(self._at)):
            end = min(k, len(self._at) - 1)
            return self._values[end] + math.sqrt(abs(sigma - self._at[end])) * standard
        low, high = self._at[k - 1], self._at[k]
        share = (sigma - low) / (high - low)
        mean = torch.lerp(self._values[k - 1], self._values[k], share)
        return mean + math.sqrt(share * (high - sigma)) * standard
