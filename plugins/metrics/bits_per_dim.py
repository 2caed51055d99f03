"""The variational bound of images with grey levels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from harness.stock.metrics._elbo import Bound, Bounded
from torch import Tensor

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from harness import Noise, Ready

MOST = 2**16
"""Grey levels that are still taken for such."""


class BitsPerDim(Bounded):
    """Bits that a lossless code by the sampler takes for a value of an image. Lower is better.

    Takes what `nelbo` takes: its `prior` and `steps`, and for the last step -log2 of the probability of the value's own
    level, normal with mean x_0hat, the lowest and the highest level reaching to infinity (Ho et al., 2020, eq. 13).
    Levels are those of `reference` itself: equal steps over the denoiser's range, 17 of the digits, 256 of photographs.
    `decoder` is the variance of that normal: best, the one that is best for all values together, or beta_tilde, that of
    the step from t = 2 to 1 (Nichol and Dhariwal, 2021). None where `nelbo` is, and for data without levels.
    """

    unit: ClassVar[str | None] = "bits/dim"
    decoder: Literal["best", "beta_tilde"] = "best"

    def of(self, found: Bound, reference: Tensor, denoiser: Ready, noise: Noise) -> float | None:
        """The sum, in bits."""
        count = levels(reference, denoiser.range)
        if count is None or denoiser.range is None:
            return None
        off = (reference - found.guess).double()
        half = (denoiser.range[1] - denoiser.range[0]) / (count - 1) / 2
        ends = reference <= denoiser.range[0] + half, reference >= denoiser.range[1] - half

        def nats(deviation: float) -> float:
            return -float(_log_mass(off, half, deviation, *ends).mean())

        end = _least(nats, half) if self.decoder == "best" else nats(_lowest(denoiser) ** 0.5)
        return (found.prior + float(found.steps.sum()) + end) / math.log(2)


def levels(data: Tensor, limits: tuple[float, float] | None) -> int | None:
    """The number of equal steps from one limit to the other on which all data lie; None where there are none."""
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
    """Log of the normal mass within `half` of values that lie `off` its mean, the outer levels without end."""
    upper = ((off + half) / deviation).masked_fill(highest, torch.inf)
    lower = ((off - half) / deviation).masked_fill(lowest, -torch.inf)
    flipped = lower + upper > 0  # the lower tail keeps its digits
    lower, upper = torch.where(flipped, -upper, lower), torch.where(flipped, -lower, upper)
    top, bottom = torch.special.log_ndtr(upper), torch.special.log_ndtr(lower)
    return top + torch.log1p(-(bottom - top).exp())


def _lowest(denoiser: Ready) -> float:
    """beta~_{2|1}."""
    one, two = denoiser.schedule.alpha_bar(torch.tensor([1.0, 2.0], dtype=torch.float64)).tolist()
    return (1 - two / one) * (1 - one) / (1 - two)


def _least(nats: Callable[[float], float], half: float) -> float:
    """The least value over deviations, from a hundredth of a level to a hundred of them."""
    from scipy.optimize import minimize_scalar

    span = math.log(half) - 5, math.log(half) + 5
    found = minimize_scalar(lambda log: nats(math.exp(log)), bounds=span, method="bounded")
    return float(found.fun)


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [BitsPerDim]
