"""The hubness protocol: whose nearest neighbour is everybody, and under which dissimilarity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from harness.base import Component, Spec
from harness.exchange import Case, Session, Values
from harness.fields import Count
from harness.hookspecs import hookimpl
from harness.inputs import call, wanted
from harness.kinds import Metric, Protocol
from harness.neighbours import occurrences, release
from harness.protocols._points import Points
from harness.streams import generator

RESAMPLES = 200

OFFERS = ("points", "labels", "neighbours", "counts", "k", "dissimilarity")


class Hubness(Protocol):
    """Finds the k nearest others of every point and counts whose neighbour each is.

    A seed draws `n` points, the same for every contender: new ones where the data set makes them up, else rows of its
    table. With `dim` they have so many dimensions: made up like that, or a table's first principal components. `engine`
    finds Euclidean neighbours; other dissimilarities know `exact` alone. A metric of the counts has an interval within
    each seed too, by the bootstrap of the counts (95 %, percentiles). Points are not resampled, their copies would be
    hubs.
    """

    n: Count = 1000
    dim: Count | None = None
    k: Count = 10
    engine: Literal["exact", "sklearn", "faiss"] = "exact"

    needs: ClassVar[Mapping[str, Spec | None]] = {"dataset": None, "dissimilarity": {"name": "euclidean"}}
    contenders: ClassVar[Sequence[str]] = ("dissimilarity",)
    offers: ClassVar[Sequence[str]] = OFFERS

    def setup(self, case: Case) -> Session:
        """Raises Skip for a data set with too few points or dimensions, BenchError for an engine that is not there."""
        return Counting(self, case)


class Counting(Session):
    """One data set and dissimilarity."""

    def __init__(self, settings: Hubness, case: Case) -> None:
        self._settings, self._case = settings, case
        self._points = Points(case.parts["dataset"], case.artifacts["dataset"], settings.n, settings.dim)
        self.notes = [f"neighbours found by the engine {release(settings.engine)}"]

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Values:
        """Every metric on one seed's points. Raises Skip where the engine finds no neighbours by this dissimilarity."""
        found = Found(self._settings, self._case, *self._points.drawn(seeds[0]))
        values = Values(seeds=list(seeds), metrics={}, exhibit=partial(exhibit, found))
        for label, metric in self._case.measure.items():
            names = wanted(metric, 0) & set(OFFERS)
            value = call(metric, **{name: getattr(found, name) for name in names})
            values.metrics[label] = None if value is None else [float(value)]
            if {"counts"} <= names <= {"counts", "k"}:
                low, high = bootstrap(metric, found, seeds[0])
                values.bootstrap[label] = [low], [high]
        return values


class Found:
    """What metrics may ask of one seed's points [n, d], float64; each thing is computed when it is first asked for."""

    def __init__(self, settings: Hubness, case: Case, points: Tensor, labels: Tensor | None) -> None:
        self.points, self.k, self._engine = points.to(case.device), settings.k, settings.engine
        self.labels = None if labels is None else labels.to(case.device)
        self.dissimilarity: Any = case.parts["dissimilarity"]

    @cached_property
    def neighbours(self) -> Tensor:
        """The numbers of each point's nearest others [n, k], nearest first."""
        index: Tensor = self.dissimilarity.nearest(self.points, self.k, self._engine).indices
        return index

    @cached_property
    def counts(self) -> Tensor:
        """N_k: among the k nearest of how many points each is [n], int64; their mean is k."""
        return occurrences(self.neighbours, len(self.points))


def exhibit(found: Found) -> dict[str, Tensor]:
    """`counts` [n], the `dimensions` of the points, and the share of them `inside` the ball that their box holds.

    The box is the smallest with sides along the axes; the ball touches all of them, so where they differ it is an
    ellipsoid.
    """
    low, high = found.points.amin(0), found.points.amax(0)
    half = (high - low) / 2
    place = (found.points - low - half) / torch.where(half > 0, half, 1)
    inside = (place.norm(dim=1) <= 1).double().mean()
    return {"counts": found.counts, "dimensions": torch.tensor(found.points.shape[1]), "inside": inside}


def bootstrap(metric: Metric, found: Found, seed: int) -> tuple[float, float]:
    """Between these lie 95 % of the metric's values on counts drawn with replacement from those found."""
    draw, n = generator(seed, "bootstrap"), len(found.counts)
    counts = found.counts.cpu()
    again = [call(metric, counts=counts[torch.randint(n, (n,), generator=draw)], k=found.k) for _ in range(RESAMPLES)]
    low, high = torch.tensor(again, dtype=torch.float64).quantile(torch.tensor([0.025, 0.975], dtype=torch.float64))
    return float(low), float(high)


@hookimpl
def components() -> list[type[Component]]:
    """This protocol."""
    return [Hubness]
