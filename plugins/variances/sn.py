"""SN-DPM: the second moment of the noise, element by element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness import Variance, hookimpl

from ._elements import Elements

if TYPE_CHECKING:
    from torch import Tensor

    from ._heads import Trial


class SN(Elements):
    """Learned second moment of the noise (Bao et al., 2022).

    c_i = (B_t / A_t) (E[eps_i^2 | x_t] - eps_hat_i^2), by a head that learns the squared noise. It is the best diagonal
    for an exact prediction (Bao et al., 2022, "Estimating the optimal covariance with imperfect mean", section 3). The
    head learns eps^2 as eps_hat^2 plus a correction: learned whole, the two would nearly cancel at large t. Without
    `head` the second moment is taken as 1, which costs nothing: c = (B_t / A_t) (1 - eps_hat^2).
    """

    reference = """
    @inproceedings{bao2022imperfect, author = {Bao, Fan and Li, Chongxuan and Sun, Jiacheng and Zhu, Jun and Zhang,
      Bo}, title = {Estimating the Optimal Covariance with Imperfect Mean in Diffusion Probabilistic Models},
      booktitle = {International Conference on Machine Learning}, year = {2022}}"""

    clip: bool = True

    def target(self, trial: Trial, share: Tensor) -> tuple[Tensor, Tensor]:
        """Difference eps^2 - eps_hat^2 relative to its mean, weighted by its scatter if eps_hat were normal."""
        off = (trial.noise.square() - trial.eps.square()) / share
        return off, share / (2 - share).clamp(min=1)

    def without(self, fitted: Mapping[str, Tensor], kept: float, mean: Tensor, eps: Tensor) -> Tensor:
        """Estimate from eps alone, at least 0."""
        return ((1 - kept) / kept * (1 - eps.square())).clamp(min=0)


@hookimpl
def components() -> list[type[Variance]]:
    """The component classes of this module."""
    return [SN]
