"""NPR-DPM: the error of the guess, element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from harness.stock.variances._elements import Elements

from harness import Variance, hookimpl

if TYPE_CHECKING:
    from harness.stock.variances._heads import Trial
    from torch import Tensor


class NPR(Elements):
    """c_i = (B_t / A_t) E[(eps_i - eps_hat_i)^2 | x_t], by a head that learns the noise's prediction residual.

    The best diagonal whatever the guess is worth: what is not known, and the square of what is guessed wrong (Bao et
    al., 2022, "Estimating the optimal covariance with imperfect mean", section 4). Without `head` c is the mean of each
    element over x_t.
    """

    def target(self, trial: Trial, share: Tensor) -> tuple[Tensor, Tensor]:
        """(eps - eps_hat)^2 beside its mean."""
        off = (trial.noise - trial.eps).square() / share
        return off, torch.ones_like(off)


@hookimpl
def components() -> list[type[Variance]]:
    """What this file brings."""
    return [NPR]
