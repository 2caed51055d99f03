"""A result as comma-separated values: one row for every cell and metric, numbers with all their digits."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from harness.report.parts import Row
from harness.report.view import view

METRIC = ("unit", "better", "mean", "low", "high", "interval")
AGAINST = ("baseline", "difference", "low", "high", "p", "p_holm", "family", "verdict")
TWICE = ("low", "high")


def render(result: Mapping[str, Any], width: int | None = None) -> str:
    """The table as text; `width` is not used. A cell without a number is one row without a metric."""
    shown = view(result)
    axes = list(dict.fromkeys(axis for row in shown.rows for axis in row.cell.get("vary") or {}))
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    compared = [f"difference_{name}" if name in TWICE else name for name in AGAINST]
    table.writerow([*axes, "status", "reason", "seeds", "metric", *METRIC, *compared, "best"])
    for row in shown.rows:
        start = [*((row.cell.get("vary") or {}).get(axis) for axis in axes), row.status, row.cell.get("reason")]
        table.writerows([*start, len(row.cell.get("seeds") or []), *numbers] for numbers in _numbers(row))
    return stream.getvalue()


def _numbers(row: Row) -> Iterator[list[Any]]:
    names = list(row.cell.get("metrics") or {})
    for name in names or [""]:
        metric, against = row.metric(name), row.against(name)
        yield [
            name,
            *(metric.get(key) for key in METRIC),
            *(against.get(key) for key in AGAINST),
            row.best(name),
        ]
