"""Maximum mean discrepancy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

from ._mixture import Mixture, mixture_of
from ._pairs import deviation, mean_over_pairs, squared_distances, two_sample

if TYPE_CHECKING:
    from torch import Tensor

    from harness import DiffusionModel


class MMD(Metric):
    """Maximum mean discrepancy with Gaussian kernels (Gretton et al., 2012).

    MMD^2 with a sum of three Gaussian kernels. Lower is better. features [n, d], reference_features [m, d], moments,
    model -> scalar, at most 6. Where the target is a mixture of normal distributions and the features are the
    samples, the terms with the target are exact and the only noise is that of the samples; else it is between two
    samples. U-statistics: unbiased, below 0 as often as above for a perfect sampler, whose deviation falls like 1/n;
    n = 2048 distinguishes the modes of a mixture. The widths are a geometric sequence, from half the usual distance of
    two draws of one component to that of two draws of the target. They depend on the target alone, so they are the same
    for every contender. None for a target that is a single point, which determines no width. The interval is that of
    the seeds.
    """

    reference = r"""
    @article{gretton2012kernel, author = {Gretton, Arthur and Borgwardt, Karsten M. and Rasch, Malte J. and
      Sch{\"o}lkopf, Bernhard and Smola, Alexander}, title = {A Kernel Two-Sample Test}, journal = {Journal of
      Machine Learning Research}, volume = {13}, pages = {723--773}, year = {2012}}"""

    higher_is_better: ClassVar[bool | None] = False
    ideal: ClassVar[float | None] = 0.0

    def __call__(
        self,
        features: Tensor,
        reference_features: Tensor,
        moments: tuple[Tensor, Tensor] | None,
        model: DiffusionModel,
    ) -> float | None:
        target = mixture_of(model) if moments else None
        y = reference_features.double()
        within, between = (target.within(), target.between()) if target else (deviation(y), deviation(y))
        if not between > 0:
            return None
        kernel = Kernel(widths(float(within), float(between)))
        x = features.double()
        return float(one_sample(kernel, x, target) if target else two_sample(kernel, x, y))


class Kernel:
    """Sum over widths h of exp(-|x - y|^2 / 2 h^2) of points [a, d] and [b, d] -> [a, b]."""

    def __init__(self, widths: tuple[float, ...]) -> None:
        self.widths = widths

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        distances = squared_distances(x, y)
        total = torch.zeros_like(distances)
        for width in self.widths:
            total += distances.div(-2 * width**2).exp_()
        return total


def widths(within: float, between: float) -> tuple[float, ...]:
    """Kernel widths from the deviations of one component and of the whole target.

    The distance of two draws is sqrt(2) times the deviation.
    """
    least, most = math.sqrt(2) * (within or between) / 2, math.sqrt(2) * between
    return least, math.sqrt(least * most), most


def one_sample(kernel: Kernel, x: Tensor, target: Mixture) -> Tensor:
    """Squared MMD between points [n, d] and the mixture that is their target."""
    with_target = [target.self_similarity(h) - 2 * target.similarity(x, h).mean() for h in kernel.widths]
    return mean_over_pairs(kernel, x) + sum(with_target)


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [MMD]
