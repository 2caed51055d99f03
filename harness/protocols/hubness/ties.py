"""Neighbors among equally near points: no tie is broken by the order of rows, but at random, many times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from harness.errors import BenchError
from harness.neighbors import Neighbors

DRAWS = 100
"""Number of random choices among equally near points that a metric is averaged over."""

ROUNDING = 1e-12
"""Dissimilarities that differ by no more than this share of the largest are equal: their order is that of rounding."""


class Choices:
    """The k nearest others of points, where more are equally near than there are places for.

    `tied_places` is the share of the n k places for which several points are equally near. Raises what `nearest` of the
    dissimilarity does.
    """

    def __init__(self, dissimilarity: Any, points: Tensor, k: int, engine: str) -> None:
        self._k, self._near = k, self._search(dissimilarity, points, k, engine)
        self._find()

    def _search(self, dissimilarity: Any, points: Tensor, k: int, engine: str) -> Neighbors:
        """Return so many nearest others that none beyond them is as near as the k-th."""
        known, count = None, k + 1
        while count < len(points):
            try:
                known = dissimilarity.nearest(points, count, engine)
            except BenchError:  # the others are at no distance that is a number
                break
            self._slack = ROUNDING * float(known.distances.abs().max())
            if not bool((known.distances[:, -1] - known.distances[:, k - 1] <= self._slack).any()):
                break
            count = max(count + 1, min(2 * count, len(points) - 1))
        if known is None:
            known, self._slack = dissimilarity.nearest(points, k, engine), 0.0
        found: Neighbors = known
        return found

    def _find(self) -> None:
        """Find the rows with more equally near points than places, those points, and the places left for them."""
        index, distances = self._near
        edge = distances[:, self._k - 1 : self._k]
        alike = (distances - edge).abs() <= self._slack
        nearer = (distances < edge) & ~alike
        left = self._k - nearer.sum(1)
        self._rows = (alike.sum(1) > left).nonzero()[:, 0]
        self._index, self._alike, self._nearer = index[self._rows], alike[self._rows], nearer[self._rows]
        self.tied_places = float(left[self._rows].sum()) / (len(index) * self._k)

    @property
    def first(self) -> Tensor:
        """Numbers of each point's neighbors [n, k], nearest first, of equally near ones those the search gives."""
        return self._near.indices[:, : self._k]

    def drawn(self, generator: torch.Generator) -> Iterator[Tensor]:
        """Yield neighbors [n, k] with an independent random choice for every point; once if nothing is tied."""
        if not len(self._rows):
            yield self.first
            return
        for _ in range(DRAWS):
            keys = torch.rand(self._index.shape, generator=generator, dtype=torch.float64).to(self._index.device)
            keys = torch.where(self._nearer, keys - 1, torch.where(self._alike, keys, 2.0))
            places = keys.topk(self._k, largest=False).indices.sort(1).values
            yield self.first.index_copy(0, self._rows, self._index.gather(1, places))
