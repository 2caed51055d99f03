"""SN-DPM: the second moment of the noise, element by element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.stock.variances._elements import Elements

from harness import Variance, hookimpl

if TYPE_CHECKING:
    from harness.stock.variances._heads import Trial
    from torch import Tensor


class SN(Elements):
    """c_i = (B_t / A_t) (E[eps_i^2 | x_t] - eps_hat_i^2), by a head that learns the squared noise.

    The best diagonal for a guess that is exact (Bao et al., 2022, "Estimating the optimal covariance with imperfect
    mean", section 3). The head learns eps^2 as eps_hat^2 and what has to be added to it: learned whole, both would all
    but cancel at large t. Without `head` it is taken as 1, which costs nothing: c = (B_t / A_t) (1 - eps_hat^2).
    """

    clip: bool = True

    def target(self, trial: Trial, share: Tensor) -> tuple[Tensor, Tensor]:
        """eps^2 - eps_hat^2 beside its mean; weighted by what that would scatter by if eps_hat were normal."""
        off = (trial.noise.square() - trial.eps.square()) / share
        return off, share / (2 - share).clamp(min=1)

    def without(self, fitted: Mapping[str, Any], kept: float, mean: Tensor, eps: Tensor) -> Tensor:
        """From eps alone, cut to 0."""
        return ((1 - kept) / kept * (1 - eps.square())).clamp(min=0)


@hookimpl
def components() -> list[type[Variance]]:
    """What this file brings."""
    return [SN]
