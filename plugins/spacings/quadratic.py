"""Quadratic spacing of DDIM."""

from __future__ import annotations

import numpy
import torch
from torch import Tensor

from harness import Schedule, Spacing, hookimpl

from ._times import Times


class Quadratic(Times):
    """Squares of evenly spaced numbers, as in DDIM (Song et al., 2021).

    1 + squares of K evenly spaced numbers from 0 to sqrt(0.8 T), cut to whole ones (Song et al., 2021, appendix D.2).
    Close to the data the times are dense, and equal ones are merged: T = 1000 leaves 49 of 50. The first step starts at
    about 0.8 T.
    """

    reference = """
    @inproceedings{song2021ddim, author = {Song, Jiaming and Meng, Chenlin and Ermon, Stefano}, title = {Denoising
      Diffusion Implicit Models}, booktitle = {International Conference on Learning Representations}, year =
      {2021}}"""

    def starts(self, schedule: Schedule, steps: int) -> Tensor:
        """The K times, some of them equal."""
        # In numpy as published: a square that should be whole may round below, and the published times contain that.
        roots = numpy.linspace(0, numpy.sqrt(0.8 * schedule.num_train_timesteps), steps)
        return 1 + torch.from_numpy(roots**2).floor()


@hookimpl
def components() -> list[type[Spacing]]:
    """The component classes of this module."""
    return [Quadratic]
