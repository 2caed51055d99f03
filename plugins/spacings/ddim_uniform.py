"""Uniform spacing of DDIM."""

from __future__ import annotations

import torch
from torch import Tensor

from harness import Schedule, Spacing, hookimpl

from ._times import Times


class DDIMUniform(Times):
    """Uniform stride from the first time, as in DDIM (Song et al., 2021).

    Times 1 + k stride with stride T // K, k < K: never visits T (Song et al., 2021, appendix D.2, "linear"). The first
    step starts at T - T // K + 1 where K divides T. Elsewhere the published program takes more than K steps; here the
    later ones are left out.
    """

    reference = """
    @inproceedings{song2021ddim, author = {Song, Jiaming and Meng, Chenlin and Ermon, Stefano}, title = {Denoising
      Diffusion Implicit Models}, booktitle = {International Conference on Learning Representations}, year =
      {2021}}"""

    def starts(self, schedule: Schedule, steps: int) -> Tensor:
        """The K times."""
        return 1 + torch.arange(steps) * (schedule.num_train_timesteps // steps)


@hookimpl
def components() -> list[type[Spacing]]:
    """The component classes of this module."""
    return [DDIMUniform]
