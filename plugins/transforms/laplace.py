"""Argmax under Laplace noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.stock.transforms import _kinked
from harness.stock.transforms._noise import Noise

from harness import Transform, hookimpl

if TYPE_CHECKING:
    from harness.stock.transforms._laws import Law


class Laplace(Noise):
    """P(argmax_j (logit_j + scale * noise_j) = i) for independent Laplace noise, density exp(-|z|) / 2.

    [..., n] -> [..., n]. Two classes d apart, d in scales: 1 - exp(-d) (2 + d) / 4. The quadrature is split at the
    kinks. `log` is accurate for classes up to 300 scales below the best; further down it stays finite and too low.
    """

    def law(self) -> Law:
        """The standard Laplace distribution."""
        return _kinked.Laplace()

    def reference_noise(self) -> Any:
        """The noise, for an independent reference."""
        from scipy import stats

        return stats.laplace(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [Laplace]
