"""Sliced Wasserstein distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, PositiveInt, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class SlicedWasserstein(Metric):
    """Root mean square Wasserstein distance on lines (Bonneel et al., 2015).

    The distances are 2-Wasserstein. Lower is better. features [n, d], reference_features [m, d] -> scalar in the
    features' unit. The lines are `projections` random directions, the same for every contender. Biased upward and
    nothing is subtracted: two samples of one distribution lie about 1/sqrt(n) of their spread apart, so compare with
    the row of independent draws at the same n, and take thousands. The interval is that of the seeds and does not
    contain the bias.
    """

    reference = r"""
    @article{bonneel2015sliced, author = {Bonneel, Nicolas and Rabin, Julien and Peyr{\'e}, Gabriel and Pfister,
      Hanspeter}, title = {Sliced and {Radon} {Wasserstein} Barycenters of Measures}, journal = {Journal of
      Mathematical Imaging and Vision}, volume = {51}, number = {1}, year = {2015}}"""

    projections: PositiveInt = 128
    higher_is_better: ClassVar[bool | None] = False
    ideal: ClassVar[float | None] = None

    def __call__(self, features: Tensor, reference_features: Tensor) -> float:
        x, y = features.double(), reference_features.double()
        draws = torch.randn(x.shape[1], self.projections, generator=torch.Generator().manual_seed(0))
        lines = torch.nn.functional.normalize(draws.to(x), dim=0)
        return float(_squared(x @ lines, y @ lines).mean().sqrt())


def _squared(x: Tensor, y: Tensor) -> Tensor:
    """Squared distance between the columns of [n, lines] and [m, lines] -> [lines]: quantile against quantile.

    Both quantile functions are steps; between neighboring levels of either, counted in units of 1 / nm, they are flat.
    """
    (n, _), (m, _) = x.shape, y.shape
    x_levels, y_levels = torch.arange(1, n + 1) * m, torch.arange(1, m + 1) * n
    levels: Tensor = torch.cat([x_levels, y_levels]).unique().to(x.device)
    shares = levels.diff(prepend=levels.new_zeros(1)).to(x) / (n * m)
    gaps = x.sort(0).values[(levels - 1) // m] - y.sort(0).values[(levels - 1) // n]
    return shares @ gaps.square()


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [SlicedWasserstein]
