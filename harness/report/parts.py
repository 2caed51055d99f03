"""What a reader meets in a result: problems, each with its contenders, and what is said of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

Cell = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One contender on one problem; `place` is the problem's name, empty where there is only one.

    `source` is the number of the paper where the row is published and not measured here, else 0.
    """

    cell: Cell
    label: str
    place: str
    baseline: bool
    source: int = 0

    @property
    def status(self) -> str:
        """`ok`, or why there is nothing to compare."""
        return str(self.cell.get("status") or "ok")

    def metric(self, name: str) -> Mapping[str, Any]:
        """The metric's values and interval; empty where it was not measured."""
        return (self.cell.get("metrics") or {}).get(name) or {}

    def bootstrap(self, name: str) -> tuple[float, float] | None:
        """The metric's interval within a seed: its ends, each a mean over seeds; None where there is none."""
        ends = self.metric(name).get("bootstrap") or {}
        known = [[value for value in ends.get(end) or [] if value is not None] for end in ("low", "high")]
        return (fmean(known[0]), fmean(known[1])) if all(known) else None

    def quartiles(self, name: str) -> tuple[float, float] | None:
        """Between what half of the metric's values lie; None where nobody looked."""
        found = self.metric(name).get("quartiles")
        return (found[0], found[2]) if found else None

    def against(self, name: str) -> Mapping[str, Any]:
        """The comparison with the baseline; empty where there is none."""
        return (self.cell.get("against") or {}).get(name) or {}

    @property
    def compared(self) -> str | None:
        """The name of the row that this one is compared with; None for a baseline and where there is none."""
        return next((entry["baseline"] for entry in (self.cell.get("against") or {}).values() if entry), None)

    def best(self, name: str) -> str | None:
        """`best`, `tied` or `beaten` within the problem."""
        return (self.cell.get("best") or {}).get(name)

    @property
    def measured(self) -> bool:
        """Whether any metric has a number."""
        return any(entry and entry.get("mean") is not None for entry in (self.cell.get("metrics") or {}).values())


@dataclass(frozen=True)
class Problem:
    """The contenders that are judged against each other, and what is published of them or of others."""

    title: str
    rows: tuple[Row, ...]
    published: tuple[Row, ...] = ()

    @property
    def shown(self) -> tuple[Row, ...]:
        """Every measured row with what is published of it below, then those that are only published."""
        labels = [row.label for row in self.rows]
        beside = ((row, *(other for other in self.published if other.label == row.label)) for row in self.rows)
        return (*itertools.chain(*beside), *(row for row in self.published if row.label not in labels))


@dataclass(frozen=True)
class View:
    """A whole result: its problems, its metrics (the first is primary), what is the same everywhere, and papers."""

    data: Mapping[str, Any]
    problems: tuple[Problem, ...]
    metrics: tuple[Mapping[str, Any], ...]
    row_axes: tuple[str, ...]
    constants: tuple[str, ...]
    sources: tuple[str, ...] = ()

    @property
    def primary(self) -> str:
        """The label of the metric that carries the answer; empty where nothing is measured."""
        return self.names[0] if self.metrics else ""

    @property
    def names(self) -> list[str]:
        """The labels of all metrics."""
        return [str(metric["label"]) for metric in self.metrics]

    @property
    def rows(self) -> list[Row]:
        """All rows of all problems."""
        return [row for problem in self.problems for row in problem.rows]

    @property
    def baselines(self) -> list[str]:
        """The names compared with, each once; empty where nothing is compared."""
        found = (row.against(name).get("baseline") for row in self.rows for name in self.names)
        return list(dict.fromkeys(str(name) for name in found if name is not None))
