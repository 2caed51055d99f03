"""Argmax under normal noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.stock.transforms import _laws
from harness.stock.transforms._noise import Noise

from harness import Transform, hookimpl

if TYPE_CHECKING:
    from harness.stock.transforms._laws import Law


class Gaussian(Noise):
    """P(argmax_j (logit_j + scale * noise_j) = i) for independent normal noise: multinomial probit.

    [..., n] -> [..., n]. Two classes d apart: Phi(d / (scale sqrt 2)). `log` is accurate for classes up to 36 scales
    below the best; further down it stays finite and too low.
    """

    def law(self) -> Law:
        """The standard normal distribution."""
        return _laws.Gaussian()

    def reference_noise(self) -> Any:
        """The noise, for an independent reference."""
        from scipy import stats

        return stats.norm(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [Gaussian]
