"""Start between two normal draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from harness import Prior, UnitInterval, hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor


class Interpolated(Prior):
    """Interpolation of two normal draws (Song et al., 2021).

    `share` of the way from one draw to the other. `spherical` follows the great circle (Song et al., 2021, equation
    67): sin((1 - a) u) / sin u z_1 + sin(a u) / sin u z_2, where u is the angle between z_1 and z_2. `linear` is
    (1 - a) z_1 + a z_2, whose variance is (1 - a)^2 + a^2, half of that of noise in the middle (Su, 2022,
    kexue.fm/archives/9181). On one line both are the same. The first draw is that of `normal`, the second independent
    of it.
    """

    reference = """
    @inproceedings{song2021ddim, author = {Song, Jiaming and Meng, Chenlin and Ermon, Stefano}, title = {Denoising
      Diffusion Implicit Models}, booktitle = {International Conference on Learning Representations}, year =
      {2021}}"""

    form: Literal["spherical", "linear"] = "spherical"
    share: UnitInterval = 0.5

    def draw(self, shape: Sequence[int], generator: Generator) -> Tensor:
        """Float32 draws of the given shape."""
        one, other = (torch.randn(*shape, generator=generator) for _ in range(2))
        if self.form == "linear":
            return (1 - self.share) * one + self.share * other
        rows, others = (part.double().view(len(part), -1) for part in (one, other))
        angle = torch.nn.functional.cosine_similarity(rows, others).clamp(-1, 1).acos()[:, None]
        first, second = (_weight(part, angle) for part in (1 - self.share, self.share))
        return (first * rows + second * others).float().view(one.shape)


def _weight(share: float, angle: Tensor) -> Tensor:
    """Weight sin(share angle) / sin(angle), and its limit where the two draws lie on one line."""
    sine = angle.sin()
    return torch.where(sine > 1e-6, (share * angle).sin() / sine, share)


@hookimpl
def components() -> list[type[Prior]]:
    """The component classes of this module."""
    return [Interpolated]
