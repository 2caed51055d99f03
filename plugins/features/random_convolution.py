"""Features of random convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from harness import BenchError, Feature, PositiveInt, hookimpl

from ._components import fit, project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

CHANNELS = (24, 32)
PIECE = 1024


class RandomConvolution(Feature):
    """Principal components of two layers of random 3x3 filters.

    samples [n, channels, height, width] or [n, height, width] -> [n, c], float64, c at most `components`, each of unit
    variance in the reference data. 24 and 32 filters with ReLU, with downsampling by 2 between them, averaged over
    quarters of the picture, give 128 numbers. The filters are the same for every contender; without training they
    respond to edges and textures (Saxe et al., 2011). Raises BenchError for samples that are no pictures of 4x4 or
    more.
    """

    reference = """
    @inproceedings{saxe2011random, author = {Saxe, Andrew M. and Koh, Pang Wei and Chen, Zhenghao and Bhand, Maneesh
      and Suresh, Bipin and Ng, Andrew Y.}, title = {On Random Weights and Unsupervised Feature Learning},
      booktitle = {International Conference on Machine Learning}, year = {2011}}"""

    components: PositiveInt = 32

    def prepare(self, data: Tensor) -> dict[str, Tensor]:
        """Filters, and the principal components of their responses to the data."""
        filters = _filters(_pictures(data).shape[1])
        return filters | fit(_see(filters, data), self.components, whiten=True)

    def __call__(self, prepared: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return project(prepared, _see(prepared, x))


def _pictures(x: Tensor) -> Tensor:
    """Pictures [n, channels, height, width]."""
    x = x[:, None] if x.ndim == 3 else x
    if x.ndim != 4 or min(x.shape[2:]) < 4:
        raise BenchError(f"random_convolution takes pictures of 4x4 or more, not samples {[*x.shape[1:]]}")
    return x


def _filters(channels: int) -> dict[str, Tensor]:
    """Normal draws, scaled so that a layer preserves the size of its input."""
    generator = torch.Generator().manual_seed(0)
    made, inputs = {}, channels
    for layer, outputs in zip(("first", "second"), CHANNELS, strict=True):
        made[layer] = torch.randn(outputs, inputs, 3, 3, generator=generator) * (2 / (9 * inputs)) ** 0.5
        inputs = outputs
    return made


def _see(filters: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Responses of the filters [n, 128]."""
    first, second = (filters[layer].to(x) for layer in ("first", "second"))
    found = []
    for piece in _pictures(x).split(PIECE):
        halved = F.avg_pool2d(F.relu(F.conv2d(piece, first, padding=1)), 2)
        found.append(F.adaptive_avg_pool2d(F.relu(F.conv2d(halved, second, padding=1)), 2).flatten(1))
    return torch.cat(found)


@hookimpl
def components() -> list[type[Feature]]:
    """The component classes of this module."""
    return [RandomConvolution]
