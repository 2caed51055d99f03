"""Local dissimilarity to centroids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import Dissimilarity, PositiveInt, hookimpl, k_nearest, pairwise_distances

from ._blocks import InBlocks, Statistics

if TYPE_CHECKING:
    from torch import Tensor


class DisSimLocal(InBlocks):
    """Squared distance corrected by the local centroids (Hara et al., 2016).

    DisSimLocal: |x - y|^2 - |x - c_x|^2 - |y - c_y|^2, c the mean of a point's k nearest. x [n, d], y [m, d] -> [n, m];
    below 0 where points are nearer to each other than to their neighbors' means. Negative values are kept, since a
    constant that makes all of them positive changes no order. Raises BenchError for k or fewer points.
    """

    reference = r"""
    @inproceedings{hara2016flattening, author = {Hara, Kazuo and Suzuki, Ikumi and Kobayashi, Kei and Fukumizu,
      Kenji and Radovanovi{\'c}, Milo{\v{s}}}, title = {Flattening the Density Gradient for Eliminating Spatial
      Centrality to Reduce Hubness}, booktitle = {AAAI Conference on Artificial Intelligence}, year = {2016}}"""

    k: PositiveInt = 10

    def statistics(self, data: Tensor, x: Tensor | None = None) -> Statistics:
        """Squared distance of each point to the mean of its neighbors."""
        points = data if x is None else x
        found = zip(points.split(1024), k_nearest(data, self.k, x).indices.split(1024), strict=True)
        gaps = [(rows - data[index].mean(1)).square().sum(1) for rows, index in found]
        return {"gap": torch.cat(gaps)}

    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """Dissimilarities [b, m]."""
        return pairwise_distances(x, y).square_().sub_(of_x["gap"][:, None]).sub_(of_y["gap"])


@hookimpl
def components() -> list[type[Dissimilarity]]:
    """The component classes of this module."""
    return [DisSimLocal]
