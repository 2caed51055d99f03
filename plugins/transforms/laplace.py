"""Argmax under Laplace noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.stock.transforms import _kinked
from harness.stock.transforms._function import race
from harness.stock.transforms._laplace import LaplaceRace
from harness.stock.transforms._noise import Noise
from harness.stock.transforms._noise import _scaled as scaled

from harness import Transform, hookimpl

if TYPE_CHECKING:
    from harness.stock.transforms._laws import Law
    from torch import Tensor


class Laplace(Noise):
    """P(argmax_j (logit_j + scale * noise_j) = i) for independent Laplace noise, density exp(-|z|) / 2.

    [..., n] -> [..., n]. Two classes d apart, d in scales: 1 - exp(-d) (2 + d) / 4. O(n): the quadrature is split at
    the few kinks that matter. `log` is accurate for every class, however far below the best.
    """

    def law(self) -> Law:
        """The standard Laplace distribution."""
        return _kinked.Laplace()

    def _raced(self, logits: Tensor, dim: int, relative: bool) -> Tensor:
        contest = LaplaceRace(self.law(), relative)
        return self._of_rows(lambda rows: race(scaled(rows, self.unit()), contest), logits, dim)

    def _mass(self, rows: Tensor) -> Tensor:
        return LaplaceRace(self.law(), False).run(scaled(rows, self.unit()))[1].expand_as(rows)

    def reference_noise(self) -> Any:
        """The noise, for an independent reference."""
        from scipy import stats

        return stats.laplace(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [Laplace]
