"""Trailing spacing."""

from __future__ import annotations

import torch
from torch import Tensor

from harness import Schedule, Spacing, hookimpl

from ._times import Times


class Trailing(Times):
    """End of each of equally long intervals (Lin et al., 2024).

    The last whole time of each of K equal stretches: T k / K, rounded, halves to even (Lin et al., 2024, table 2). It
    is `trailing` of diffusers, whose time step i is our time i + 1. T is visited, 1 is not unless K = T.
    """

    reference = """
    @inproceedings{lin2024flawed, author = {Lin, Shanchuan and Liu, Bingchen and Li, Jiashi and Yang, Xiao}, title =
      {Common Diffusion Noise Schedules and Sample Steps Are Flawed}, booktitle = {IEEE/CVF Winter Conference on
      Applications of Computer Vision}, year = {2024}}"""

    def starts(self, schedule: Schedule, steps: int) -> Tensor:
        """The K times."""
        return (schedule.num_train_timesteps * torch.arange(1, steps + 1, dtype=torch.float64) / steps).round()


@hookimpl
def components() -> list[type[Spacing]]:
    """The component classes of this module."""
    return [Trailing]
