"""One cell of the hubness protocol: the nearest neighbors of a seed's points, counted."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from harness.conformance import first_call
from harness.errors import Skip
from harness.inputs import call_with_inputs, requested_inputs
from harness.kinds import Metric
from harness.kinds.evaluation import CellContext, CellRunner, Measurements
from harness.neighbors import k_occurrence, release
from harness.protocols.hubness.points import Points
from harness.protocols.hubness.settings import METRIC_INPUTS, HubnessSettings
from harness.protocols.hubness.ties import Choices
from harness.protocols.judging import judged
from harness.random import generator

RESAMPLES = 200
SOME = 20
"""Number of points on which a dissimilarity is tried."""


class Counting(CellRunner):
    """One data set and dissimilarity."""

    def __init__(self, settings: HubnessSettings, case: CellContext) -> None:
        self._settings, self._case = settings, case
        data = case.artifacts["dataset"]
        self._points = Points(case.components["dataset"], data, settings.n, settings.dim)
        self.notes = [*data.notes, f"neighbors found by the engine {release(settings.engine)}"]

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Measurements:
        """Evaluate every metric on one seed's points. Raises Skip if the engine does not support this dissimilarity."""
        found = Found(self._settings, self._case, *self._points.drawn(seeds[0]), seeds[0])
        asked = {name: requested_inputs(metric, 0, METRIC_INPUTS) for name, metric in self._case.metrics.items()}
        near = {name for name, names in asked.items() if {"neighbors", "counts"} & names}
        if near:
            found.find()
        metrics, skipped = judged(self._case.metrics, found, METRIC_INPUTS)
        values = Measurements(list(seeds), metrics, skipped=skipped, figure_data=partial(figure_data, found))
        if near and found.choices.tied_places:
            values.auxiliary["tied places"] = [found.choices.tied_places]
            metrics |= self._averaged({name: self._case.metrics[name] for name in near if metrics[name]}, found)
        for label, metric in self._case.metrics.items():
            if metrics[label] is not None and {"counts"} <= asked[label] <= {"counts", "k"}:
                ends = bootstrap(metric, found, seeds[0])
                values.bootstrap |= {} if ends is None else {label: ([ends[0]], [ends[1]])}
        return values

    def _averaged(self, metrics: Mapping[str, Metric], found: Found) -> dict[str, list[float] | None]:
        """Return the mean of each metric over random choices among equally near points."""
        sums, count = dict.fromkeys(metrics, 0.0), 0
        for neighbors in found.neighbor_draws():
            count += 1
            values, _ = judged(metrics, found.with_neighbors(neighbors), METRIC_INPUTS)
            for name, value in values.items():
                sums[name] += math.nan if value is None else value[0]
        return {name: [total / count] for name, total in sums.items()}


class Found:
    """One seed's points [n, d], float64, and the inputs that metrics may request, each computed on first use.

    Where points are equally near, `neighbors` and `counts` are those of the first of `neighbor_draws`.
    """

    def __init__(
        self, settings: HubnessSettings, case: CellContext, points: Tensor, labels: Tensor | None, seed: int
    ) -> None:
        self.points, self.k, self._engine, self._seed = points.to(case.device), settings.k, settings.engine, seed
        self.labels = None if labels is None else labels.to(case.device)
        self.dissimilarity: Any = case.components["dissimilarity"]

    def find(self) -> None:
        """Find the neighbors. Raises Skip if the engine does not support this dissimilarity."""
        first_call.try_dissimilarity(self.dissimilarity, self.points[: max(SOME, 4 * self.k)])
        try:
            self.counts  # noqa: B018 - kept for every metric that asks
        except Skip:
            raise
        except Exception:
            first_call.blame(self.dissimilarity, self.points)
            raise

    @cached_property
    def choices(self) -> Choices:
        """Each point's nearest others, with the equally near ones."""
        return Choices(self.dissimilarity, self.points, self.k, self._engine)

    def neighbor_draws(self) -> Iterator[Tensor]:
        """Numbers of each point's nearest others [n, k], for every random choice among equally near ones."""
        return self.choices.drawn(generator(self._seed, "ties"))

    def with_neighbors(self, neighbors: Tensor) -> Found:
        """Return the same points with other neighbors [n, k]."""
        found = copy.copy(self)
        vars(found).pop("counts", None)
        vars(found)["neighbors"] = neighbors
        return found

    @cached_property
    def neighbors(self) -> Tensor:
        """Numbers of each point's nearest others [n, k], nearest first."""
        return next(self.neighbor_draws())

    @cached_property
    def counts(self) -> Tensor:
        """N_k [n], int64: for each point, the number of points that have it among their k nearest; their mean is k."""
        return k_occurrence(self.neighbors, len(self.points))


def figure_data(found: Found) -> dict[str, Tensor]:
    """Return `counts` [n], the points' `dimensions`, and the share of them `inside` the ball inscribed in their box.

    The box is the smallest with sides along the axes; the ball touches all of them, so that for unequal sides it is an
    ellipsoid.
    """
    low, high = found.points.amin(0), found.points.amax(0)
    half = (high - low) / 2
    place = (found.points - low - half) / torch.where(half > 0, half, 1)
    inside = (place.norm(dim=1) <= 1).double().mean()
    return {"counts": found.counts, "dimensions": torch.tensor(found.points.shape[1]), "inside": inside}


def bootstrap(metric: Metric, found: Found, seed: int) -> tuple[float, float] | None:
    """Return the 95 % percentile interval of the metric on counts drawn with replacement from those found.

    With equally near points every resample has the counts of another random choice among them. Returns None if the
    metric has no value on some of them.
    """
    draw, n = generator(seed, "bootstrap"), len(found.counts)
    counts = [k_occurrence(neighbors, n).cpu() for neighbors in found.neighbor_draws()]
    try:
        again = [
            call_with_inputs(metric, counts=counts[b % len(counts)][torch.randint(n, (n,), generator=draw)], k=found.k)
            for b in range(RESAMPLES)
        ]
    except Skip:
        return None
    if any(value is None for value in again):
        return None
    low, high = torch.tensor(again, dtype=torch.float64).quantile(torch.tensor([0.025, 0.975], dtype=torch.float64))
    return float(low), float(high)
