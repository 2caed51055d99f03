"""Argmax under logistic noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import Transform, hookimpl

from . import _light_tails
from ._noise import Noise

if TYPE_CHECKING:
    from ._law import Law


class Logistic(Noise):
    """Probability that each class wins under logistic noise.

    P(argmax_j (logit_j + scale * noise_j) = i) for independent logistic noise. Logits [..., n] -> probabilities
    [..., n]. Two classes d scales apart, a = exp(d): a (a - 1 - log a) / (a - 1)^2. `log` is accurate for classes up to
    300 scales below the best; further down it stays finite and too low.
    """

    def law(self) -> Law:
        """The standard logistic distribution."""
        return _light_tails.Logistic()

    def reference_noise(self) -> Any:
        """Noise distribution, for an independent reference."""
        from scipy import stats

        return stats.logistic(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [Logistic]
