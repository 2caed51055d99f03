"""Points of a seed: generated for it, or rows of a table."""

from __future__ import annotations

import torch
from torch import Tensor

from harness import artifacts
from harness.base import Component, replace_fields, schemas
from harness.errors import BenchError, Skip
from harness.kinds import Dataset
from harness.kinds.classification import Examples
from harness.random import generator


class Points:
    """`n` points of a data set for every seed, in `dim` dimensions, or for None in all of them.

    A data set with a field `examples` generates points: new ones for every seed, in `dim` dimensions if it has
    that field too. A missing value is replaced by the mean of its column among the points drawn. Raises Skip for too
    few points or dimensions, BenchError for fields without effect here.
    """

    def __init__(self, dataset: Component, data: Examples, n: int, dim: int | None) -> None:
        wanted = {"examples": n} | ({} if dim is None else {"dim": dim})
        assert isinstance(dataset, Dataset)
        fields = schemas(type(dataset))
        self._made: dict[tuple[str, ...], int] = {(name,): v for name, v in wanted.items() if name in fields}
        self._data, self._dataset, self._n, self._dim = data, dataset, n, dim
        if data.label_noise or data.imbalance != 1:
            raise BenchError(f"{dataset!r}: label_noise and imbalance are for training and have no effect on hubs")
        columns = data.inputs[0].numel()
        if ("examples",) not in self._made and len(data.inputs) < n:
            raise Skip(f"{dataset!r} has {len(data.inputs):,} points, not {n:,}")
        if ("dim",) not in self._made and dim is not None and columns < dim:
            raise Skip(f"{dataset!r} has {columns:,} dimensions, not {dim:,}")

    def drawn(self, seed: int) -> tuple[Tensor, Tensor | None]:
        """Return points [n, d], float64, and their classes [n] if each has one."""
        data = self._data
        if ("examples",) in self._made:
            data = replace_fields(self._dataset, self._made).load(generator(seed, "points"))
            artifacts.check(data)
        rows = torch.randperm(len(data.inputs), generator=generator(seed, "rows"))[: self._n]
        points = data.inputs[rows].double().flatten(1)
        if data.missing:
            points = points.where(~points.isnan(), points.nanmean(0).nan_to_num())
        if data.standardize:
            deviation = points.std(0, correction=0)
            points = (points - points.mean(0)) / torch.where(deviation > 0, deviation, 1)
        labels = data.targets[rows] if data.task == "classes" else None
        return self._projected(points), labels

    def _projected(self, points: Tensor) -> Tensor:
        """Project the points on their first `dim` principal components."""
        if self._dim is None or self._dim >= points.shape[1]:
            return points
        gaps = points - points.mean(0)
        found: Tensor = gaps @ torch.linalg.eigh(gaps.T @ gaps).eigenvectors[:, -self._dim :]
        return found
