"""NPR-DPM: the error of the prediction, element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import Variance, hookimpl

from ._elements import Elements

if TYPE_CHECKING:
    from torch import Tensor

    from ._heads import Trial


class NPR(Elements):
    """Learned squared error of the predicted noise (Bao et al., 2022).

    c_i = (B_t / A_t) E[(eps_i - eps_hat_i)^2 | x_t], by a head that learns the noise prediction residual. It is the
    best diagonal for any prediction: the uncertainty plus the squared error of the prediction (Bao et al., 2022,
    "Estimating the optimal covariance with imperfect mean", section 4). Without `head` c is the mean of each element
    over x_t.
    """

    reference = """
    @inproceedings{bao2022imperfect, author = {Bao, Fan and Li, Chongxuan and Sun, Jiacheng and Zhu, Jun and Zhang,
      Bo}, title = {Estimating the Optimal Covariance with Imperfect Mean in Diffusion Probabilistic Models},
      booktitle = {International Conference on Machine Learning}, year = {2022}}"""

    def target(self, trial: Trial, share: Tensor) -> tuple[Tensor, Tensor]:
        """Squared residual (eps - eps_hat)^2 relative to its mean."""
        off = (trial.noise - trial.eps).square() / share
        return off, torch.ones_like(off)


@hookimpl
def components() -> list[type[Variance]]:
    """The component classes of this module."""
    return [NPR]
