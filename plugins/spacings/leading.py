"""Leading spacing."""

from __future__ import annotations

from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor

from harness import BenchError, Schedule, Spacing, hookimpl

from ._times import Times


class Leading(Times):
    """Start of each of equally long intervals (Lin et al., 2024).

    The first whole time of each of K equal stretches (Lin et al., 2024, table 2), moved up by `offset`: `leading` and
    `steps_offset` of diffusers, whose time step i is our time i + 1. T is not visited. Raises BenchError where the
    offset leads beyond T.
    """

    reference = """
    @inproceedings{lin2024flawed, author = {Lin, Shanchuan and Liu, Bingchen and Li, Jiashi and Yang, Xiao}, title =
      {Common Diffusion Noise Schedules and Sample Steps Are Flawed}, booktitle = {IEEE/CVF Winter Conference on
      Applications of Computer Vision}, year = {2024}}"""

    offset: Annotated[int, Ge(0)] = 0

    def starts(self, schedule: Schedule, steps: int) -> Tensor:
        """The K times."""
        times = 1 + self.offset + torch.arange(steps) * (schedule.num_train_timesteps // steps)
        if times[-1] > schedule.num_train_timesteps:
            raise BenchError(
                f"{self!r}: {steps} steps would start at {int(times[-1])}, beyond {schedule.num_train_timesteps}"
            )
        return times


@hookimpl
def components() -> list[type[Spacing]]:
    """The component classes of this module."""
    return [Leading]
