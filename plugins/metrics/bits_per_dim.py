"""Variational bound of images with discrete gray levels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from torch import Tensor

from harness import Metric, hookimpl

from ._elbo import Bound, Bounded

if TYPE_CHECKING:
    from harness import DiffusionModel, NoiseSource

MOST = 2**16
"""Largest number of distinct values that count as gray levels."""


class BitsPerDim(Bounded):
    """Bits per dimension of a lossless code by the sampler (Ho et al., 2020).

    Lower is better. It takes the inputs of `nelbo`: its `prior` and `steps`, and for the last step -log2 of the
    probability of the value's own level, normal with mean x_0hat, the lowest and the highest level reaching to infinity
    (Ho et al., 2020, eq. 13). Levels are those of `reference` itself: equal steps over the denoiser's range, 17 for the
    digits, 256 for photographs. `decoder` is the variance of that normal distribution: `best`, the one that is best for
    all values together, or `beta_tilde`, that of the step from t = 2 to 1 (Nichol and Dhariwal, 2021). None where
    `nelbo` is, and for data without levels.
    """

    reference = """
    @inproceedings{ho2020ddpm, author = {Ho, Jonathan and Jain, Ajay and Abbeel, Pieter}, title = {Denoising
      Diffusion Probabilistic Models}, booktitle = {Advances in Neural Information Processing Systems}, year =
      {2020}}"""

    unit: ClassVar[str | None] = "bits/dim"
    decoder: Literal["best", "beta_tilde"] = "best"

    def of(self, found: Bound, reference: Tensor, model: DiffusionModel, noise: NoiseSource) -> float | None:
        """Sum of the terms, in bits."""
        count = levels(reference, model.data_range)
        if count is None or model.data_range is None:
            return None
        off = (reference - found.guess).double()
        half = (model.data_range[1] - model.data_range[0]) / (count - 1) / 2
        ends = reference <= model.data_range[0] + half, reference >= model.data_range[1] - half

        def nats(deviation: float) -> float:
            return -float(_log_mass(off, half, deviation, *ends).mean())

        end = _least(nats, half) if self.decoder == "best" else nats(_lowest(model) ** 0.5)
        return (found.prior + float(found.steps.sum()) + end) / math.log(2)


def levels(data: Tensor, limits: tuple[float, float] | None) -> int | None:
    """Number of equal steps from one limit to the other on which all data lie; None where there are none."""
    if limits is None:
        return None
    seen = data.double().unique()
    if len(seen) < 2:
        return None
    low, high = limits
    count = round((high - low) / float(seen.diff().min()))
    places = (seen - low) / (high - low) * count
    whole = bool((places - places.round()).abs().max() < 0.01) and bool((seen >= low).all() and (seen <= high).all())
    return count + 1 if whole and count < MOST else None


def _log_mass(off: Tensor, half: float, deviation: float, lowest: Tensor, highest: Tensor) -> Tensor:
    """Logarithm of the normal mass within `half` of values that lie `off` its mean; the outer levels are unbounded."""
    upper = ((off + half) / deviation).masked_fill(highest, torch.inf)
    lower = ((off - half) / deviation).masked_fill(lowest, -torch.inf)
    flipped = lower + upper > 0  # the lower tail is the accurate one
    lower, upper = torch.where(flipped, -upper, lower), torch.where(flipped, -lower, upper)
    top: Tensor = torch.special.log_ndtr(upper)
    bottom: Tensor = torch.special.log_ndtr(lower)
    return top + torch.log1p(-(bottom - top).exp())


def _lowest(model: DiffusionModel) -> float:
    """Variance beta~_{2|1}."""
    one, two = map(float, model.schedule.alpha_bar(torch.tensor([1.0, 2.0], dtype=torch.float64)))
    return (1 - two / one) * (1 - one) / (1 - two)


def _least(nats: Callable[[float], float], half: float) -> float:
    """Least value over deviations, from a hundredth of a level to a hundred of them."""
    from scipy.optimize import minimize_scalar

    span = math.log(half) - 5, math.log(half) + 5
    found = minimize_scalar(lambda log: nats(math.exp(log)), bounds=span, method="bounded")
    return float(found.fun)


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [BitsPerDim]
