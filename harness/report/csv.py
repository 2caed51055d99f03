"""A run as comma-separated values: one line for every row and metric, numbers with all their digits."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from harness.report.parts import Arrangement, Entry, View
from harness.report.view import AS_IT_IS, axes_of, view
from harness.report.words import reason
from harness.results import Run

METRIC = ("unit", "higher_is_better", "mean", "low", "high", "interval")
AGAINST = ("baseline", "difference", "low", "high", "p", "p_holm", "family", "verdict")
TWICE = ("low", "high")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of texts that spreadsheets compute."""
Value = str | int | float | bool | None


def render(run: Run, width: int | None = None, arrangement: Arrangement = AS_IT_IS) -> str:
    """Render the table; `width` is not used."""
    stream = io.StringIO()
    heads, rows = table(view(run, arrangement))
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(map(_text, row) for row in rows)
    return stream.getvalue()


def table(shown: View) -> tuple[list[str], list[list[Value]]]:
    """Return the names of the columns, and the lines. A row without a number is one line without a metric."""
    axes = list(axes_of(entry.row.vary for entry in shown.entries))
    compared = [f"difference_{name}" if name in TWICE else name for name in AGAINST]
    lines: list[list[Value]] = []
    for entry in shown.entries:
        row = entry.row
        why = reason(row.why) if entry.ended and row.why else None
        start = [*(row.vary.get(axis) for axis in axes), row.status]
        lines += [[*start, *numbers] for numbers in _numbers(entry, why, shown.names)]
    return [*axes, "status", "reason", "seeds", "metric", *METRIC, *compared, "best"], lines


def _text(value: Value) -> Value:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _numbers(entry: Entry, why: str | None, names: Sequence[str]) -> Iterator[list[Value]]:
    """Yield a row's lines from `reason` on; `seeds` are those with a value, which the mean is over."""
    for name in [name for name in names if name in entry.row.metrics] or [""]:
        metric, against = entry.metric(name), entry.against(name)
        lost = reason(metric.why) if metric and metric.why and why is None else why
        known = len(entry.row.seeds) if metric is None else sum(value is not None for value in metric.numbers)
        yield [
            lost,
            known,
            name,
            *(getattr(metric, {"mean": "average"}.get(key, key), None) for key in METRIC),
            *(getattr(against, key, None) for key in AGAINST),
            entry.best(name),
        ]
