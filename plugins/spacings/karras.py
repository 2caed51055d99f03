"""Spacing of EDM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Positive, Spacing, hookimpl

from ._levels import Levels

if TYPE_CHECKING:
    from torch import Tensor


class Karras(Levels):
    """Noise levels evenly spaced in a power of sigma (Karras et al., 2022).

    Even in sigma^(1/rho), from the schedule's level at T to that at 1 (Karras et al., 2022, eq. 5); real times.
    """

    reference = """
    @inproceedings{karras2022edm, author = {Karras, Tero and Aittala, Miika and Aila, Timo and Laine, Samuli}, title
      = {Elucidating the Design Space of Diffusion-Based Generative Models}, booktitle = {Advances in Neural
      Information Processing Systems}, year = {2022}}"""

    rho: Positive = 7.0

    def levels(self, high: Tensor, low: Tensor, share: Tensor) -> Tensor:
        """Levels at shares of the way."""
        first, last = high ** (1 / self.rho), low ** (1 / self.rho)
        return (first + share * (last - first)) ** self.rho


@hookimpl
def components() -> list[type[Spacing]]:
    """The component classes of this module."""
    return [Karras]
