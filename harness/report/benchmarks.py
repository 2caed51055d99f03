"""A run in the format of pytest-benchmark: every measured row is a benchmark, its blocks are the rounds."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from harness.errors import BenchError
from harness.report.parts import Entry
from harness.report.view import view
from harness.results import Run


def benchmarks(run: Run) -> Iterator[Any]:
    """Yield a pytest-benchmark `Metadata` for every row, grouped by problem, of the first metric in seconds.

    Raises BenchError if pytest-benchmark is not installed, or nothing was timed.
    """
    try:
        stats: Any = importlib.import_module("pytest_benchmark.stats")
    except ImportError:
        raise BenchError("pytest-benchmark is not installed: pip install pytest-benchmark") from None
    shown = view(run)
    timed = next((metric.label for metric in shown.metrics if metric.unit == "s"), None)
    if timed is None:
        raise BenchError(f"{run.run}: no metric of this run is in seconds")
    for entry in shown.entries:
        one = stats.Metadata(_about(run, entry), 1, {})
        metric = entry.metric(timed)
        for seconds in metric.values if metric else ():
            if seconds is not None:
                one.update(seconds)
        if one:
            yield one


def _about(run: Run, entry: Entry) -> SimpleNamespace:
    """Return the attributes that pytest-benchmark reads of a benchmark's fixture; `params` are the row's axes."""
    place = f" on {entry.place}" if entry.place else ""
    return SimpleNamespace(
        name=entry.label,
        fullname=f"{run.suite}::{entry.label}{place}",
        group=entry.place or None,
        param=entry.label,
        params={axis: "" if label is None else label for axis, label in entry.row.vary.items()},
        extra_info={"run": run.run, "cell": entry.row.id},
        cprofile_stats=None,
        has_error=False,
    )
