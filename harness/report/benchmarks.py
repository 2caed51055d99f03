"""A result as pytest-benchmark knows it: every measured row is a benchmark, its blocks are the rounds."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from harness.errors import BenchError
from harness.report.parts import Row
from harness.report.view import view


def benchmarks(result: Mapping[str, Any]) -> Iterator[Any]:
    """A `Metadata` of pytest-benchmark for every row, grouped by problem, of the first metric in seconds.

    Raises BenchError where pytest-benchmark is not installed, or nothing was timed.
    """
    try:
        stats: Any = importlib.import_module("pytest_benchmark.stats")
    except ImportError:
        raise BenchError("pytest-benchmark is not installed: pip install pytest-benchmark") from None
    shown = view(result)
    timed = next((str(metric["label"]) for metric in shown.metrics if metric.get("unit") == "s"), None)
    if timed is None:
        raise BenchError(f"{result.get('run')}: no metric of this run is in seconds")
    for row in shown.rows:
        one = stats.Metadata(_about(result, row), 1, {})
        for seconds in row.metric(timed).get("values") or ():
            if seconds is not None:
                one.update(seconds)
        if one:
            yield one


def _about(result: Mapping[str, Any], row: Row) -> SimpleNamespace:
    """What pytest-benchmark reads of the fixture that made a benchmark."""
    place = f" on {row.place}" if row.place else ""
    return SimpleNamespace(
        name=row.label,
        fullname=f"{result['suite']}::{row.label}{place}",
        group=row.place or None,
        param=None,
        params=None,
        extra_info={"run": result["run"], "cell": row.cell["id"]},
        cprofile_stats=None,
        has_error=False,
    )
