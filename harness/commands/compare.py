"""Comparison of two stored runs as one run: the run is an axis, and rows are paired with the earlier ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path

from harness.commands.changes import Pair, changes, is_time
from harness.errors import BenchError
from harness.results import Bootstrap, GateRule, Label, MeasuredRow, MeasuredRun, MetricInfo, Row, RowInfo, Run, RunInfo
from harness.results.codec import stored
from harness.results.runs import records
from harness.results.values import Number
from harness.run.analyses import analysed
from harness.worker.supervisor import Server

RUN, BEFORE, AFTER = "run", "before", "after"
ROW = tuple(each.name for each in fields(RowInfo))
INFO = tuple(each.name for each in fields(RunInfo))


@dataclass(frozen=True)
class Side:
    """One of the two runs: its name, the run, and the folder of its per-example results."""

    name: str
    run: Run
    folder: Path

    def row(self, row: Row) -> MeasuredRow:
        """Return a row as the analysis reads it, on this side of the axis."""
        info = {name: getattr(row, name) for name in ROW}
        if row.excluded and row.why is not None:
            info |= {"why": None, "excluded": row.why.text}
        return MeasuredRow(
            **info | {"vary": {**row.vary, RUN: self.name}},
            values={label: tuple(map(_stored, metric.numbers)) for label, metric in row.metrics.items()},
            bootstrap=_bootstraps(row),
            resolution={name: metric.resolution for name, metric in row.metrics.items() if metric.resolution},
            units=tuple(self._units.get(row.id, ())),
        )

    @cached_property
    def _units(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for record in records(self.run, self.folder):
            if (units := record.get("units")) and (file := self.folder / "units" / units).exists():
                found.setdefault(record["cell"], []).append(str(file))
        return found


def _stored(value: float | None) -> Number:
    return None if value is None else stored(value)


def _bootstraps(row: Row) -> dict[str, Bootstrap]:
    return {label: metric.bootstrap for label, metric in row.metrics.items() if metric.bootstrap is not None}


def compare(before: tuple[Run, Path], after: tuple[Run, Path], server: Server, gates: Sequence[GateRule] = ()) -> Run:
    """Combine both runs; no row is ranked best, since the same contender occurs twice.

    Each comes with the results folder that holds its records; `gates` are judged on the differences. Raises BenchError
    if there is nothing to compare.
    """
    found = analysed(replace(together(Side(BEFORE, *before), Side(AFTER, *after)), gates=tuple(gates)), server)
    return replace(found, cells=tuple(replace(row, best={}) for row in found.cells))


def together(before: Side, after: Side) -> MeasuredRun:
    """Return the common rows, by their labels on every axis, as `harness.analysis.analyse` reads them.

    Values are paired by seed; times are not, nor are any values if the runs share no seed.
    """
    old, new = before.run, after.run
    pairs, metrics = _common(old, new)
    shared = any(set(one.seeds) & set(row.seeds) for one, row in pairs)
    info = {name: getattr(new, name) for name in INFO}
    info |= {
        "question": f"What has changed from {old.run} to {new.run}?",
        "run": f"{old.run}..{new.run}",
        "metrics": metrics,
        "baseline": {RUN: BEFORE},
        "axes": {**_axes(old, new), RUN: [BEFORE, AFTER]},
        "contenders": (*new.contenders, RUN),
        "shard": None,
    }
    return MeasuredRun(
        **info,
        unpaired=tuple(metric.label for metric in metrics if not shared or is_time(metric)),
        notices=tuple(changes(old, new, pairs)),
        exit=0,
        cells=tuple(each for one, row in pairs for each in (before.row(one), after.row(row))),
    )


def check_comparable(old: Run, new: str, protocol: str, rows: Sequence[Mapping[str, Label]], labels: Set[str]) -> None:
    """Check that a run shares its protocol, a row and a metric with another named `new`. Raises BenchError if not."""
    if old.protocol != protocol:
        raise BenchError(f"nothing to compare: the protocols are {old.protocol} and {protocol}")
    found = {"row": any(row.vary in rows for row in old.cells), "metric": any(m.label in labels for m in old.metrics)}
    for part, is_there in found.items():
        if not is_there:
            raise BenchError(f"nothing to compare: no {part} is in both {old.run} and {new}")


def _common(old: Run, new: Run) -> tuple[Sequence[Pair], tuple[MetricInfo, ...]]:
    """Return the common rows and metrics."""
    check_comparable(old, new.run, new.protocol, [row.vary for row in new.cells], {each.label for each in new.metrics})
    labels = {metric.label for metric in old.metrics}
    metrics = tuple(metric for metric in new.metrics if metric.label in labels)
    return [(one, row) for row in new.cells for one in old.cells if one.vary == row.vary], metrics


def _axes(old: Run, new: Run) -> dict[str, list[Label]]:
    """Return the axes of both with all their points, those of the later run first."""
    axes = {axis: list(points) for axis, points in new.axes.items()}
    for axis, points in old.axes.items():
        known = axes.setdefault(axis, [])
        known += [point for point in points if point not in known]
    return axes
