"""Two stored runs as one: the run is an axis, and every row of the later one meets its own of the earlier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.engines.local import Server
from harness.errors import BenchError
from harness.history.changes import Pair, changes, is_time
from harness.history.runs import records
from harness.running.runner import analysed

Cell = Mapping[str, Any]
RUN, BEFORE, AFTER = "run", "before", "after"
KEPT = ("suite", "protocol", "protocol_version", "environment", "within", "margin", "interval", "controls")
"""What the comparison has of the later run."""
NEEDED = ("run", "protocol", "environment", "measure", "axes", "contenders", "interval", "cells")
"""What a result cannot be compared without."""


@dataclass(frozen=True)
class Side:
    """One of the two: its name, its Result JSON, and the folder where its per-example results are."""

    name: str
    result: Mapping[str, Any]
    folder: Path

    def cell(self, cell: Cell) -> dict[str, Any]:
        """A cell as the analysis reads it, on this side of the axis."""
        metrics = {label: entry["values"] for label, entry in cell["metrics"].items()}
        units = self._units.get(cell["id"], [])
        return {**cell, "vary": {**cell["vary"], RUN: self.name}, "metrics": metrics, "units": units}

    @cached_property
    def _units(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for record in records(self.result, self.folder):
            if record.get("units") and (file := self.folder / "units" / record["units"]).exists():
                found.setdefault(record["cell"], []).append(str(file))
        return found


def compare(before: Mapping[str, Any], after: Mapping[str, Any], folder: Path, server: Server) -> dict[str, Any]:
    """The Result JSON of a comparison; nothing in it is best, since the same contender is there twice.

    `folder` is where the per-example results of both are. Raises BenchError where there is nothing to compare.
    """
    result = analysed(together(Side(BEFORE, before, folder), Side(AFTER, after, folder)), server)
    return {**result, "cells": [{**cell, "best": {}} for cell in result["cells"]]}


def together(before: Side, after: Side) -> dict[str, Any]:
    """What `harness.analysis.analyse` reads: the rows that both runs have, by their labels on every axis.

    A seed pairs values; it does not pair times, nor any values where the runs share no seed.
    """
    old, new = _whole(before.result), _whole(after.result)
    pairs, measure = _common(old, new)
    shared = any(set(one["seeds"]) & set(cell["seeds"]) for one, cell in pairs)
    return {
        **{key: new[key] for key in KEPT if new.get(key) is not None},
        "question": f"What has changed from {old['run']} to {new['run']}?",
        "run": f"{old['run']}..{new['run']}",
        "measure": measure,
        "baseline": {RUN: BEFORE},
        "axes": {**_axes(old, new), RUN: [BEFORE, AFTER]},
        "contenders": [*new["contenders"], RUN],
        "unpaired": [metric["label"] for metric in measure if not shared or is_time(metric)],
        "warnings": changes(old, new, pairs),
        "exit": 0,
        "cells": [each for one, cell in pairs for each in (before.cell(one), after.cell(cell))],
    }


def _common(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[list[Pair], list[Mapping[str, Any]]]:
    """The rows and the metrics that both have."""
    if old["protocol"] != new["protocol"]:
        raise BenchError(f"nothing to compare: the protocols are {old['protocol']} and {new['protocol']}")
    labels = {metric["label"] for metric in old["measure"]}
    measure = [metric for metric in new["measure"] if metric["label"] in labels]
    pairs = [(one, cell) for cell in new["cells"] for one in old["cells"] if one["vary"] == cell["vary"]]
    if not pairs or not measure:
        missing = "metric" if pairs else "row"
        raise BenchError(f"nothing to compare: no {missing} is in both {old['run']} and {new['run']}")
    return pairs, measure


def _whole(result: Mapping[str, Any]) -> Mapping[str, Any]:
    missing = [key for key in NEEDED if key not in result]
    if missing:
        raise BenchError(f"nothing to compare: a result without {', '.join(missing)}")
    return result


def _axes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The axes of both with all their points, those of the later run first."""
    axes = {axis: list(points) for axis, points in new["axes"].items()}
    for axis, points in old["axes"].items():
        known = axes.setdefault(axis, [])
        known += [point for point in points if point not in known]
    return axes
