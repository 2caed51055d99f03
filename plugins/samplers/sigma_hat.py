"""DDPM's mean with the noise of the forward process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from harness import Sampler, hookimpl

from ._ancestral import Ancestral, skipped

if TYPE_CHECKING:
    from torch import Tensor

    from ._linear import Levels


class SigmaHat(Ancestral):
    """DDPM with the larger noise of the forward process (Song et al., 2021).

    The posterior mean with noise of variance beta_{t|s}, the "large" one (Song et al., 2021, section 5). Only the noise
    is larger: the mean is that of `ddpm`. In the mean of `ddim` this variance would give sqrt(B_s - beta_{t|s}), which
    is not real for the last steps of any spacing. Equal to `ddpm` with the variance `beta`.
    """

    reference = """
    @inproceedings{song2021ddim, author = {Song, Jiaming and Meng, Chenlin and Ermon, Stefano}, title = {Denoising
      Diffusion Implicit Models}, booktitle = {International Conference on Learning Representations}, year =
      {2021}}"""

    unused_kinds: ClassVar[Sequence[str]] = ("variance",)

    def step(self, t: Levels, s: Levels) -> tuple[Tensor, Tensor, Tensor]:
        """Weights of x_t and x_0 in the posterior mean, and beta."""
        beta = skipped(t, s)
        return (1 - beta).sqrt() * s.beta_bar / t.beta_bar, beta * s.signal / t.beta_bar, beta


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [SigmaHat]
