"""Argmax under Laplace noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.stock.transforms import _kinked
from harness.stock.transforms._laplace import LaplaceRace
from harness.stock.transforms._noise import Noise

from harness import Transform, hookimpl

if TYPE_CHECKING:
    from harness.stock.transforms._laws import Law
    from harness.stock.transforms._race import Race


class Laplace(Noise):
    """P(argmax_j (logit_j + scale * noise_j) = i) for independent Laplace noise, density exp(-|z|) / 2.

    [..., n] -> [..., n]. Two classes d apart, d in scales: 1 - exp(-d) (2 + d) / 4. O(n): the quadrature is split at
    the few kinks that matter. `log` is accurate for every class, however far below the best.
    """

    def law(self) -> Law:
        """The standard Laplace distribution."""
        return _kinked.Laplace()

    def contest(self, relative: bool) -> Race:
        """In O(n)."""
        return LaplaceRace(self.law(), relative)

    def reference_noise(self) -> Any:
        """The noise, for an independent reference."""
        from scipy import stats

        return stats.laplace(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [Laplace]
