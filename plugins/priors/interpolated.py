"""Start between two normal draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import torch
from annotated_types import Ge

from harness import PositiveInt, Prior, UnitInterval, hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor


class Interpolated(Prior):
    """Interpolation of two normal draws (Song et al., 2021).

    `share` of the way from one draw to the other. `spherical` follows the great circle (Song et al., 2021, equation
    67): sin((1 - a) u) / sin u z_1 + sin(a u) / sin u z_2, where u is the angle between z_1 and z_2. `linear` is
    (1 - a) z_1 + a z_2, whose variance is (1 - a)^2 + a^2, half of that of noise in the middle (Su, 2022,
    kexue.fm/archives/9181). On one line both are the same. The first draw is that of `normal`, the second independent
    of it. With `frames`, every so many rows in turn go from one draw to another, in place of `share`: the path as
    figures show it. Such rows depend on each other.
    """

    reference = """
    @inproceedings{song2021ddim, author = {Song, Jiaming and Meng, Chenlin and Ermon, Stefano}, title = {Denoising
      Diffusion Implicit Models}, booktitle = {International Conference on Learning Representations}, year =
      {2021}}"""

    form: Literal["spherical", "linear"] = "spherical"
    share: UnitInterval = 0.5
    frames: Annotated[PositiveInt, Ge(2)] | None = None

    def draw(self, shape: Sequence[int], generator: Generator) -> Tensor:
        """Float32 draws of the given shape."""
        one, other = (torch.randn(*shape, generator=generator).double() for _ in range(2))
        share = torch.full((shape[0],), self.share, dtype=torch.float64)
        if self.frames is not None:
            row = torch.arange(shape[0])
            one, other = one[row // self.frames], other[row // self.frames]
            share = (row % self.frames).double() / (self.frames - 1)
        first, second = self._weights(share, one.view(len(one), -1), other.view(len(other), -1))
        whole = (-1, *[1] * (len(shape) - 1))
        return (first.view(whole) * one + second.view(whole) * other).float()

    def _weights(self, share: Tensor, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """Weights of the two draws [n, d], for shares [n]."""
        if self.form == "linear":
            return 1 - share, share
        angle = torch.nn.functional.cosine_similarity(one, other).clamp(-1, 1).acos()
        return _arc(1 - share, angle), _arc(share, angle)


def _arc(share: Tensor, angle: Tensor) -> Tensor:
    """Weight sin(share angle) / sin(angle), and its limit where the two draws lie on one line."""
    sine = angle.sin()
    return torch.where(sine > 1e-6, (share * angle).sin() / sine, share)


@hookimpl
def components() -> list[type[Prior]]:
    """The component classes of this module."""
    return [Interpolated]
