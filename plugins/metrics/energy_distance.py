"""Energy distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Metric, hookimpl

from ._pairs import squared_distances, two_sample

if TYPE_CHECKING:
    from torch import Tensor


class EnergyDistance(Metric):
    """Energy distance between samples and data (Szekely and Rizzo, 2013).

    2 E|x - y| - E|x - x'| - E|y - y'| with Euclidean norms. Lower is better. features [n, d], reference_features [m, d]
    -> scalar in the features' unit. 0 only for equal distributions, and there is no width to choose. U-statistics:
    unbiased at every n, below 0 as often as above for a perfect sampler; use 500 samples or more. The interval is that
    of the seeds.
    """

    reference = r"""
    @article{szekely2013energy, author = {Sz{\'e}kely, G{\'a}bor J. and Rizzo, Maria L.}, title = {Energy
      Statistics: A Class of Statistics Based on Distances}, journal = {Journal of Statistical Planning and
      Inference}, volume = {143}, number = {8}, year = {2013}}"""

    higher_is_better: ClassVar[bool | None] = False
    ideal: ClassVar[float | None] = 0.0

    def __call__(self, features: Tensor, reference_features: Tensor) -> float:
        return float(two_sample(_closeness, features.double(), reference_features.double()))


def _closeness(x: Tensor, y: Tensor) -> Tensor:
    return squared_distances(x, y).sqrt_().neg_()


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [EnergyDistance]
