"""Error of data that a deterministic sampler encodes and decodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, PositiveInt, hookimpl

from ._flow import encoded

if TYPE_CHECKING:
    from torch import Tensor

    from harness import DiffusionModel, NoiseSource, Sampler


class InversionError(Metric):
    """Mean squared distance of data to their own reconstruction from x_T.

    Per dimension, as a share of the data's variance per dimension. Lower is better; 0 where the map from noise to data
    is inverted exactly, about 2 for a sampler that forgets x_T. reference [m, *shape], model, sampler, times, noise ->
    scalar. The first `data` points are encoded to x_T by DDIM run backward along the sampler's own times, and decoded
    by the sampler without a variance (Song et al., 2021, section 5.4). For DDIM it is the error of Euler's method,
    there and back, which falls with the number of steps. None for data at a single point.
    """

    reference = """
    @inproceedings{song2021ddim, author = {Song, Jiaming and Meng, Chenlin and Ermon, Stefano}, title = {Denoising
      Diffusion Implicit Models}, booktitle = {International Conference on Learning Representations}, year =
      {2021}}"""

    data: PositiveInt = 256
    higher_is_better: ClassVar[bool | None] = False

    def __call__(
        self, reference: Tensor, model: DiffusionModel, sampler: Sampler, times: Tensor, noise: NoiseSource
    ) -> float | None:
        x0 = reference[: self.data]
        spread = float((x0 - x0.mean(0)).double().square().mean())
        if not spread > 0:
            return None
        with torch.no_grad():
            found = sampler.sample(model, None, encoded(model, x0, times), times, noise)
        return float((found - x0).double().square().mean()) / spread


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [InversionError]
