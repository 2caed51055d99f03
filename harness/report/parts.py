"""Parts of a report: problems, each with its contenders and their results."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.results import Comparison, MetricInfo, MetricValue, Rank, ReasonKind, Row, Run, Status


@dataclass(frozen=True, eq=False)
class Entry:
    """One contender on one problem: a row of the run, named; `number` is the row's place among all rows.

    `place` is the problem's name, empty if there is only one. `source` is the number of the paper if the row is
    published and not measured here, else 0.
    """

    row: Row
    label: str
    place: str = ""
    baseline: bool = False
    number: int | None = None
    source: int = 0

    @property
    def ended(self) -> bool:
        """Whether the row ended without being complete."""
        return self.row.status is not Status.OK

    def metric(self, name: str) -> MetricValue | None:
        """Return the metric's values and interval; None if it was not measured."""
        return self.row.metrics.get(name)

    def bootstrap(self, name: str) -> tuple[float, float] | None:
        """Return the ends of the metric's interval within a seed, each a mean over seeds; None without one."""
        metric = self.metric(name)
        if metric is None or metric.bootstrap is None:
            return None
        low, high = ([v for v in ends if v is not None] for ends in (metric.bootstrap.low, metric.bootstrap.high))
        return (fmean(low), fmean(high)) if low and high else None

    def quartiles(self, name: str) -> tuple[float, float] | None:
        """Return the quartiles of the metric's values; None if they were not computed."""
        metric = self.metric(name)
        return (metric.quartiles[0], metric.quartiles[2]) if metric and metric.quartiles else None

    def against(self, name: str) -> Comparison | None:
        """Return the comparison with the baseline; None without one."""
        return self.row.against.get(name)

    def control(self, name: str) -> bool:
        """Return whether the row is compared as a control, which is not tested."""
        found = self.against(name)
        return found is not None and found.why is not None and found.why.kind is ReasonKind.CONTROL

    @property
    def compared(self) -> str | None:
        """Return the name of the row that this one is compared with; None for a baseline and without a comparison."""
        return next((entry.baseline for entry in self.row.against.values()), None)

    def best(self, name: str) -> Rank | None:
        """Return the rank within the problem."""
        return self.row.best.get(name)

    @property
    def measured(self) -> bool:
        """Whether any metric has a number."""
        return any(metric.average is not None for metric in self.row.metrics.values())


def ranked(entries: Sequence[Entry], name: str) -> bool:
    """Return whether the ranks of a problem's rows say anything: not if several are ranked and all are equally good."""
    rows = [entry.row for entry in entries if entry.best(name)]
    return len(rows) < 2 or any(row.best[name] is not Rank.BEST for row in rows) or not level(rows, name)


def level(rows: Sequence[Row], name: str) -> bool:
    """Return whether several rows have one mean, to rounding."""
    found = [row.metrics[name] for row in rows if name in row.metrics]
    means = [metric.mean for metric in found if metric.mean is not None]
    slack = max((metric.resolution or 0.0 for metric in found), default=0.0)
    return len(means) > 1 and math.isclose(min(means), max(means), rel_tol=1e-6, abs_tol=slack)


@dataclass(frozen=True, eq=False)
class Problem:
    """Contenders that are compared with each other, and published numbers of these or others."""

    title: str
    entries: tuple[Entry, ...]
    published: tuple[Entry, ...] = ()

    @property
    def shown(self) -> tuple[Entry, ...]:
        """Every measured entry followed by its published numbers, then entries that are only published."""
        labels = [entry.label for entry in self.entries]
        beside = ((entry, *(each for each in self.published if each.label == entry.label)) for entry in self.entries)
        return (*itertools.chain(*beside), *(each for each in self.published if each.label not in labels))


COLUMNS = (
    "difference",
    "baseline",
    "verdict",
    "p",
    "forest",
    "within_seed",
    "quartiles",
    "tuned",
    "learned",
    "evaluations",
    "time",
    "seeds",
)
"""Columns of a table that are no metrics, by the names by which a reader asks for them."""


@dataclass(frozen=True)
class Arrangement:
    """How a reader wants tables: rows by a metric, the best first, and columns in an order; by default all."""

    sort: str | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class View:
    """A whole run: its problems, its metrics (the first is primary), common facts, and papers."""

    run: Run
    problems: tuple[Problem, ...]
    row_axes: tuple[str, ...]
    constants: tuple[str, ...]
    sources: tuple[str, ...] = ()
    arrangement: Arrangement = Arrangement()

    @property
    def metrics(self) -> tuple[MetricInfo, ...]:
        """The metrics that are asked for, in that order; all if none is."""
        known = {metric.label: metric for metric in self.run.metrics}
        return tuple(known[name] for name in self.arrangement.columns if name in known) or self.run.metrics

    @property
    def primary(self) -> str:
        """Label of the primary metric; empty if nothing is measured."""
        return self.names[0] if self.metrics else ""

    @property
    def names(self) -> list[str]:
        """Labels of all metrics."""
        return [metric.label for metric in self.metrics]

    @property
    def entries(self) -> list[Entry]:
        """All entries of all problems."""
        return [entry for problem in self.problems for entry in problem.entries]

    @property
    def comparisons(self) -> list[Comparison]:
        """All comparisons in the metrics shown, entry by entry."""
        found = (entry.against(name) for entry in self.entries for name in self.names)
        return [comparison for comparison in found if comparison is not None]

    @property
    def baselines(self) -> list[str]:
        """Names of the baselines, each once; empty if nothing is compared."""
        return list(dict.fromkeys(comparison.baseline for comparison in self.comparisons))
