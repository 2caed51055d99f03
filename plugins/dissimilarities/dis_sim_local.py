"""Local dissimilarity to centroids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from harness.stock.dissimilarities._blocks import InBlocks, Statistics

from harness import Count, Dissimilarity, distances, hookimpl, nearest

if TYPE_CHECKING:
    from torch import Tensor


class DisSimLocal(InBlocks):
    """|x - y|^2 - |x - c_x|^2 - |y - c_y|^2, c the mean of a point's k nearest (Hara et al., 2016, DisSimLocal).

    x [n, d], y [m, d] -> [n, m]; below 0 where points are nearer to each other than to their neighbours' means. It is
    left so: a constant that makes all of it positive changes no order. Raises BenchError for k or fewer points.
    """

    k: Count = 10

    def statistics(self, data: Tensor, x: Tensor | None = None) -> Statistics:
        """Each point's squared distance to the mean of its neighbours."""
        points = data if x is None else x
        found = zip(points.split(1024), nearest(data, self.k, x).indices.split(1024), strict=True)
        gaps = [(rows - data[index].mean(1)).square().sum(1) for rows, index in found]
        return {"gap": torch.cat(gaps)}

    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """[b, m]."""
        return distances(x, y).square_().sub_(of_x["gap"][:, None]).sub_(of_y["gap"])


@hookimpl
def components() -> list[type[Dissimilarity]]:
    """What this file brings."""
    return [DisSimLocal]
