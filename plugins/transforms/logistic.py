"""Argmax under logistic noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.stock.transforms import _laws
from harness.stock.transforms._noise import Noise

from harness import Transform, hookimpl

if TYPE_CHECKING:
    from harness.stock.transforms._laws import Law


class Logistic(Noise):
    """P(argmax_j (logit_j + scale * noise_j) = i) for independent logistic noise.

    [..., n] -> [..., n]. Two classes d scales apart, a = exp(d): a (a - 1 - log a) / (a - 1)^2. `log` is
    accurate for classes up to 300 scales below the best; further down it stays finite and too low.
    """

    def law(self) -> Law:
        """The standard logistic distribution."""
        return _laws.Logistic()

    def reference_noise(self) -> Any:
        """The noise, for an independent reference."""
        from scipy import stats

        return stats.logistic(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [Logistic]
