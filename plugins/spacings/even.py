"""Even spacing."""

from __future__ import annotations

import torch
from torch import Tensor

from harness import Schedule, Spacing, hookimpl

from ._times import Times


class Even(Times):
    """Evenly spaced whole times from 1 to T (Nichol and Dhariwal, 2021).

    K times, both ends visited (Nichol and Dhariwal, 2021; Bao et al., 2022): round(1 + (T - 1) / (K - 1) k), halves to
    the even number; a single step starts at T.
    """

    reference = """
    @inproceedings{nichol2021improved, author = {Nichol, Alex and Dhariwal, Prafulla}, title = {Improved Denoising
      Diffusion Probabilistic Models}, booktitle = {International Conference on Machine Learning}, year =
      {2021}}"""

    def starts(self, schedule: Schedule, steps: int) -> Tensor:
        """The K times."""
        if steps == 1:
            return torch.tensor([schedule.num_train_timesteps])
        # The stride first, as in the published programs, so that halves round as they do there if it is inexact.
        return (1 + (schedule.num_train_timesteps - 1) / (steps - 1) * torch.arange(steps, dtype=torch.float64)).round()


@hookimpl
def components() -> list[type[Spacing]]:
    """The component classes of this module."""
    return [Even]
