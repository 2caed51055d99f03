"""Argmax under uniform noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import Positive, Transform, hookimpl

from . import _kinked
from ._noise import Noise

if TYPE_CHECKING:
    from ._law import Law


class Uniform(Noise):
    """Probability that each class wins under uniform noise.

    P(argmax_j (logit_j + scale * noise_j) = i) for independent uniform noise on an interval of length `width`. Logits
    [..., n] -> probabilities [..., n]. Two classes d < w = scale * width apart: 1 - (1 - d / w)^2 / 2. A class w or
    more below the best has probability exactly 0, log-probability -inf and no gradient. The quadrature is split at the
    kinks.
    """

    width: Positive = 1.0

    def law(self) -> Law:
        """The uniform distribution on (0, 1)."""
        return _kinked.Uniform()

    def unit(self) -> Any:
        """The length of the interval: both fields may be learned."""
        return self.scale * self.width

    def reference_noise(self) -> Any:
        """Noise distribution, for an independent reference."""
        from scipy import stats

        return stats.uniform(scale=self.width * self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [Uniform]
