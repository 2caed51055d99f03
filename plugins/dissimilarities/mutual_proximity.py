"""Mutual proximity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from harness import BenchError, Dissimilarity, PositiveInt, hookimpl, k_nearest, pairwise_distances

from ._blocks import InBlocks, Statistics

if TYPE_CHECKING:
    from torch import Tensor

CELLS = 2**17
"""Number of comparisons at once: a MiB of distances, which the cache of one core holds."""

TINY = 1e-150
ROUNDING = 1e-8
"""Relative difference between two computations of one distance: the k-th neighbor is within its own reach."""


class MutualProximity(InBlocks):
    """Share of third points nearer to either point (Schnitzer et al., 2012).

    1 - P(a third point is farther from both x and y than they are from each other). x [n, d], y [m, d] -> [n, m], in
    [0, 1]. `empiric` counts the third points: shares of n - 2, so there are many ties, and the time is of order n^3.
    `normal` takes the distances from x and from y as independent and normal, each with its own mean and deviation. With
    `k` the k nearest of a point represent all others: `empiric` counts every other point as infinitely far, `normal`
    fits those k alone. Raises BenchError for k points or fewer, and for fewer than 3.
    """

    reference = """
    @article{schnitzer2012local, author = {Schnitzer, Dominik and Flexer, Arthur and Schedl, Markus and Widmer,
      Gerhard}, title = {Local and Global Scaling Reduce Hubs in Space}, journal = {Journal of Machine Learning
      Research}, volume = {13}, pages = {2871--2902}, year = {2012}}"""

    form: Literal["empiric", "normal"] = "normal"
    k: PositiveInt | None = None

    def statistics(self, data: Tensor, x: Tensor | None = None) -> Statistics:
        """Mean and deviation of a point's distances (normal); number of third points and their reach (empiric)."""
        points, others = (data, len(data) - 1) if x is None else (x, len(data))
        if others < 2:
            raise BenchError(f"mutual_proximity needs 3 points or more, not {len(data)}")
        near = None if self.k is None else k_nearest(data, self.k, x).distances
        if self.form == "empiric":
            reach = points.new_full((len(points),), torch.inf) if near is None else near[:, -1]
            return {"reach": reach, "third": torch.full_like(reach, others - 1)}
        if near is not None:
            return {"mean": near.mean(1), "deviation": near.std(1, correction=0).clamp(min=TINY)}
        found = [
            _moments(pairwise_distances(rows, data), others) for rows in points.split(max(1, 2 * CELLS // len(data)))
        ]
        mean, deviation = (torch.cat(parts) for parts in zip(*found, strict=True))
        return {"mean": mean, "deviation": deviation.clamp(min=TINY)}

    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """Dissimilarities [b, m]."""
        gaps = pairwise_distances(x, y)
        if self.form == "normal":
            ours, others = (_below(gaps, mean, scale) for mean, scale in (_column(of_x), of_y.values()))
            return ours + others - ours * others
        mine = _within(gaps, of_x["reach"])
        farther = torch.empty_like(gaps)
        for columns in torch.arange(len(y), device=y.device).split(max(1, CELLS // len(y))):
            theirs = _within(pairwise_distances(y[columns], y), of_y["reach"][columns])
            for row, (own, bounds) in enumerate(zip(mine, gaps[:, columns], strict=True)):
                farther[row, columns] = (torch.minimum(theirs, own) > bounds[:, None]).count_nonzero(1).to(gaps)
        return (1 - farther / of_x["third"][:, None]).clamp_(min=0)


def _moments(gaps: Tensor, others: int) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each row's distances to others; a point's distance 0 to itself does not count."""
    mean = gaps.sum(1) / others
    squares = (gaps - mean[:, None]).square().sum(1) - (gaps.shape[1] - others) * mean.square()
    return mean, (squares / others).clamp(min=0).sqrt()


def _below(gaps: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """Share of a normal distribution below the gaps."""
    share: Tensor = torch.special.ndtr((gaps - mean) / deviation)
    return share


def _column(known: Statistics) -> tuple[Tensor, Tensor]:
    return known["mean"][:, None], known["deviation"][:, None]


def _within(gaps: Tensor, reach: Tensor) -> Tensor:
    """Distances, with infinity beyond each row's reach."""
    return gaps.masked_fill(gaps > reach[:, None] * (1 + ROUNDING), torch.inf)


@hookimpl
def components() -> list[type[Dissimilarity]]:
    """The component classes of this module."""
    return [MutualProximity]
