"""`Result`, the return value of `harness.run`; result JSON; a table of values."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.errors import BenchError
from harness.report.answer import answer, statements
from harness.report.view import axes_of
from harness.report.words import issue, reason
from harness.results import Comparison, Label, Row, Run
from harness.results.codec import dumps, to_json


@dataclass(frozen=True, kw_only=True)
class RowComparison(Comparison):
    """A comparison with its `row` and `metric`."""

    row: Row
    metric: str


class Result:
    """Outcome of a run, with the content of the result JSON; `run` holds all of it as typed values."""

    def __init__(self, run: Run) -> None:
        self.run = dataclasses.replace(run, statements=statements(run))

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row for every point of the grid, including failed and skipped ones."""
        return self.run.cells

    @property
    def comparisons(self) -> list[RowComparison]:
        """Every comparison with the baseline, row by row and metric by metric."""
        names = [each.name for each in dataclasses.fields(Comparison)]
        return [
            RowComparison(**{name: getattr(found, name) for name in names}, row=row, metric=metric)
            for row in self.rows
            for metric, found in row.against.items()
        ]

    @property
    def answer(self) -> str:
        """Answer to the suite's question, in words."""
        return answer(self.run)

    @property
    def exit(self) -> int:
        """Exit code of the command."""
        return self.run.exit

    def __repr__(self) -> str:
        return f"Result({self.run.suite or 'unnamed'}: {self.answer or 'no answer'})"

    def to_json(self) -> str:
        """Return the result JSON in ASCII, as `--json` writes it; numbers round-trip, null if they are not finite."""
        return dumps(to_json(self.run, self.answer, reason, issue))

    def values(self) -> Iterator[dict[str, Label]]:
        """Yield one line for every row, seed and metric: the axes, status, seed, metric, value.

        A row without values is one line whose seed, metric and value are None.
        """
        for row in self.rows:
            start: dict[str, Label] = {axis: row.vary.get(axis) for axis in self._axes()}
            for seed, metric, value in _values(row):
                yield {**start, "status": row.status.value, "seed": seed, "metric": metric, "value": value}

    def to_frame(self) -> Any:
        """Return `values()` as a pandas DataFrame. Raises BenchError if pandas is not installed."""
        try:
            pandas = importlib.import_module("pandas")
        except ImportError:
            raise BenchError("to_frame() needs pandas, which is not installed: pip install pandas") from None
        return pandas.DataFrame(list(self.values()), columns=[*self._axes(), "status", "seed", "metric", "value"])

    def _axes(self) -> list[str]:
        return list(dict.fromkeys([*self.run.axes, *axes_of(row.vary for row in self.rows)]))


def _values(row: Row) -> list[tuple[int | None, str | None, float | None]]:
    """Return (seed, metric, value) triples; one triple of None if there is no value."""
    found: list[tuple[int | None, str | None, float | None]] = [
        (seed, name, value)
        for name, metric in row.metrics.items()
        for seed, value in zip(row.seeds, metric.numbers, strict=True)
    ]
    return found or [(None, None, None)]


def render(run: Run, width: int | None = None) -> str:
    """Render the result JSON; `width` is not used."""
    return Result(run).to_json()
