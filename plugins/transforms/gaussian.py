"""Argmax under normal noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import Transform, hookimpl

from . import _light_tails
from ._noise import Noise

if TYPE_CHECKING:
    from ._law import Law


class Gaussian(Noise):
    """Probability that each class wins under normal noise.

    P(argmax_j (logit_j + scale * noise_j) = i) for independent normal noise: multinomial probit. Logits [..., n] ->
    probabilities [..., n]. Two classes d apart: Phi(d / (scale sqrt 2)). `log` is accurate for classes up to 36 scales
    below the best; further down it stays finite and too low.
    """

    def law(self) -> Law:
        """The standard normal distribution."""
        return _light_tails.Gaussian()

    def reference_noise(self) -> Any:
        """Noise distribution, for an independent reference."""
        from scipy import stats

        return stats.norm(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [Gaussian]
