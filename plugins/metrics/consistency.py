"""Distance of samples made in few and in many steps from one noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from harness import Metric, PositiveInt, hookimpl

from ._flow import finer

if TYPE_CHECKING:
    from torch import Tensor

    from harness import DiffusionModel, NoiseSource, Sampler


BLOCK = 64
"""A batch of samples starts at a multiple of this."""


class Consistency(Metric):
    """Squared distance of samples in few and in many steps from the same x_T.

    Relative to that of two samples from different x_T, so 0 is the same sample and 1 another one. Lower is better.
    reference, model, sampler, covariance, times, noise -> scalar. `draws` starts, normal, are followed along the
    sampler's times and along times that divide every step in `parts` (Song et al., 2021, section 5.2). The noise of
    steps, where there is any, is not that of the other run. None where all samples are one point.
    """

    reference = """
    @inproceedings{song2021ddim, author = {Song, Jiaming and Meng, Chenlin and Ermon, Stefano}, title = {Denoising
      Diffusion Implicit Models}, booktitle = {International Conference on Learning Representations}, year =
      {2021}}"""

    draws: PositiveInt = 256
    parts: PositiveInt = 10
    higher_is_better: ClassVar[bool | None] = False

    def __call__(
        self,
        reference: Tensor,
        model: DiffusionModel,
        sampler: Sampler,
        covariance: Callable[..., Any] | None,
        times: Tensor,
        noise: NoiseSource,
    ) -> float | None:
        start = noise("consistency", reference[:1].expand(self.draws, *reference.shape[1:]))
        runs = (times, noise), (finer(times, self.parts), noise.after(BLOCK * self.draws))
        with torch.no_grad():
            coarse, fine = (sampler.sample(model, covariance, start.clone(), *each) for each in runs)
        coarse, fine = coarse.double().flatten(1), fine.double().flatten(1)
        apart = (coarse - fine.roll(1, 0)).square().sum(1).mean()
        return float((coarse - fine).square().sum(1).mean() / apart) if float(apart) > 0 else None


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [Consistency]
