"""Argmax under Laplace noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import Transform, hookimpl

from . import _kinked
from ._laplace import LaplaceRace
from ._noise import Noise

if TYPE_CHECKING:
    from ._law import Law
    from ._race import Race


class Laplace(Noise):
    """Probability that each class wins under Laplace noise.

    P(argmax_j (logit_j + scale * noise_j) = i) for independent Laplace noise with density exp(-|z|) / 2. Logits
    [..., n] -> probabilities [..., n]. Two classes d apart, d in scales: 1 - exp(-d) (2 + d) / 4. O(n): the quadrature
    is split at the few kinks that matter. `log` is accurate for every class, however far below the best.
    """

    def law(self) -> Law:
        """The standard Laplace distribution."""
        return _kinked.Laplace()

    def contest(self, relative: bool) -> Race:
        """Quadrature in O(n)."""
        return LaplaceRace(self.law(), relative)

    def reference_noise(self) -> Any:
        """Noise distribution, for an independent reference."""
        from scipy import stats

        return stats.laplace(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [Laplace]
