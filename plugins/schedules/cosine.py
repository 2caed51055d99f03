"""Cosine schedule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness import Schedule, hookimpl

from ._curve import Curve

if TYPE_CHECKING:
    from torch import Tensor

OFFSET = 0.008


class Cosine(Curve):
    """Squared cosine of time (Nichol and Dhariwal, 2021).

    A_t = f(t / T) / f(0), f(u) = cos^2(pi/2 (u + 0.008) / 1.008) (Nichol and Dhariwal, 2021, eq. 17). The published
    clipping of beta_t at 0.999 affects the last step alone, for any T; within it A_t is log-linear.
    """

    reference = """
    @inproceedings{nichol2021improved, author = {Nichol, Alex and Dhariwal, Prafulla}, title = {Improved Denoising
      Diffusion Probabilistic Models}, booktitle = {International Conference on Machine Learning}, year =
      {2021}}"""

    def curve(self, remaining: Tensor) -> Tensor:
        """A at the remaining share of time."""
        end = math.pi / 2 / (1 + OFFSET)
        return ((end * remaining).sin() / math.sin(end)) ** 2


@hookimpl
def components() -> list[type[Schedule]]:
    """The component classes of this module."""
    return [Cosine]
