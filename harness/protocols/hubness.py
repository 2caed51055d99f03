"""The hubness protocol: whose nearest neighbour is everybody, and under which dissimilarity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from harness.base import Component, Spec
from harness.exchange import Case, Session, Values
from harness.fields import Count
from harness.hookspecs import hookimpl
from harness.inputs import call, wanted
from harness.kinds import Metric, Protocol
from harness.neighbours import occurrences
from harness.protocols._points import Points
from harness.streams import generator

RESAMPLES = 200

OFFERS = ("points", "labels", "neighbours", "counts", "k", "dissimilarity")


class Hubness(Protocol):
    """Finds the k nearest others of every point and counts whose neighbour each is.

    A seed draws `n` points, the same for every contender: new ones where the data set makes them up, else rows of its
    table. With `dim` they have so many dimensions: made up like that, or a table's first principal components. `engine`
    finds Euclidean neighbours; other dissimilarities know `exact` alone. A metric of the counts gets an interval for
    each seed too, by the bootstrap of the counts (95 %, percentiles): "NAME low" and "NAME high" in the record. Points
    are not resampled, their copies would be hubs.
    """

    n: Count = 1000
    dim: Count | None = None
    k: Count = 10
    engine: Literal["exact", "sklearn", "faiss"] = "exact"

    needs: ClassVar[Mapping[str, Spec | None]] = {"dataset": {"name": "cloud"}, "dissimilarity": {"name": "euclidean"}}
    contenders: ClassVar[Sequence[str]] = ("dissimilarity",)
    offers: ClassVar[Sequence[str]] = OFFERS

    def setup(self, case: Case) -> Session:
        """Raises Skip where the data set has too few points or dimensions, or the engine cannot find the neighbours."""
        return Counting(self, case)


class Counting(Session):
    """One data set and dissimilarity."""

    def __init__(self, settings: Hubness, case: Case) -> None:
        self._settings, self._case = settings, case
        self._points = Points(case.parts["dataset"], case.artifacts["dataset"], settings.n, settings.dim)

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Values:
        """Every metric on one seed's points."""
        found = Found(self._settings, self._case, *self._points.drawn(seeds[0]))
        metrics: dict[str, list[float] | None] = {}
        extra: dict[str, list[float]] = {}
        for label, metric in self._case.measure.items():
            names = wanted(metric, 0)
            value = call(metric, **{name: getattr(found, name) for name in OFFERS if name in names})
            metrics[label] = None if value is None else [float(value)]
            if names & set(OFFERS) <= {"counts", "k"}:
                low, high = bootstrap(metric, found, seeds[0])
                extra |= {f"{label} low": [low], f"{label} high": [high]}
        return Values(seeds=list(seeds), metrics=metrics, extra=extra, exhibit=lambda: {"counts": found.counts})


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
