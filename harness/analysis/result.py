"""The Result JSON: every cell with its intervals, verdicts and marks, then the answer and the warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.answer import answer
from harness.analysis.claims import judged
from harness.analysis.controls import doubts
from harness.analysis.gates import outcomes
from harness.analysis.pairing import full_name, partners, problems
from harness.analysis.samples import Measured, measured
from harness.analysis.verdicts import Cells, against, marks, unranked
from harness.statistics import ratios
from harness.statistics.paired import interval

KEPT = ("suite", "question", "run", "protocol", "protocol_version", "environment", "measure", "axes", "contenders",
        "within", "baseline", "margin", "interval", "controls", "replicates")  # fmt: skip
FAILED = ("failed", "crashed", "timeout", "oom")
CELL = ("id", "vary", "parameters", "tuned", "status", "reason", "seconds", "peak_bytes", "seeds")


def result(run: dict[str, Any]) -> dict[str, Any]:
    """See `harness.analysis.analyse`."""
    labels = [metric["label"] for metric in run["measure"]]
    links = partners(run)
    cells: Cells = [measured(cell, labels) if cell["status"] == "ok" else {} for cell in run["cells"]]
    shown = [_cell(run, cell, numbers) for cell, numbers in zip(run["cells"], cells, strict=True)]
    for metric in run["measure"]:
        if metric["better"] is None:  # it describes: nothing is better or worse
            continue
        for index, entry in against(run, cells, links, metric).items() if links else ():
            shown[index]["against"][metric["label"]] = entry
        for members in problems(run).values():
            for index, mark in marks(run, cells, members, metric).items():
                shown[index]["best"][metric["label"]] = mark
    found = {"schema": 1, **{key: run.get(key) for key in KEPT}, "exit": run.get("exit", _exit(run)), "cells": shown}
    whole = _clean({**found, "claims": judged(run, cells)})
    whole["gates"] = outcomes(run.get("gates", ()), whole["cells"], links)
    return {**whole, "answer": answer(whole), "warnings": [*run.get("warnings", ()), *_warnings(run, cells)]}


def _cell(run: Mapping[str, Any], cell: Mapping[str, Any], numbers: Mapping[str, Measured]) -> dict[str, Any]:
    about = {metric["label"]: metric for metric in run["measure"]}
    metrics = {label: _metric(one, about[label], run["interval"]) for label, one in numbers.items()}
    for label, ends in cell.get("bootstrap", {}).items():
        if label in metrics:
            metrics[label]["bootstrap"] = ends
    kept = {key: cell.get(key) for key in CELL}
    reason = unranked(cell)
    notes = [*cell.get("notes", ()), *_outliers(metrics), *([reason] if reason else [])]
    return {**kept, "metrics": metrics, "against": {}, "best": {}, "notes": notes}


def _outliers(metrics: Mapping[str, Any]) -> list[str]:
    """A line for the first metric that labels some."""
    found = [(name, metric) for name, metric in metrics.items() if metric.get("outliers")]
    return [f"{name}: {len(m['outliers'])} of {len(m['values'])} blocks far out, and kept" for name, m in found[:1]]


def _metric(one: Measured, metric: Mapping[str, Any], kind: str) -> dict[str, Any]:
    found = interval(one.sample(), kind) if metric.get("ratio") is None else ratios.interval(one.sample())
    lost = sum(not math.isfinite(value) for value in one.values)
    reason = f"{lost} of {len(one.values)} seeds have no finite value and are left out" if lost else None
    if reason is None and math.isnan(found.low):
        reason = (
            "one seed and no results per example: no interval" if len(one.seeds) == 1 else "the spread is not finite"
        )
    numbers = {"values": one.values.tolist(), "mean": found.mean, "low": found.low, "high": found.high}
    numbers |= {} if metric.get("ratio") is None else ratios.spread(one.values)
    return {**numbers, "interval": found.kind, "better": metric["better"], "unit": metric["unit"], "reason": reason}


def _exit(run: Mapping[str, Any]) -> int:
    statuses = {"failed" if _lost_artifact(cell) else cell["status"] for cell in run["cells"]}
    return 4 if not statuses - {"skipped"} else 3 if statuses & set(FAILED) else 0


def _lost_artifact(cell: Mapping[str, Any]) -> bool:
    """Whether a row is skipped because what it needs failed to be made: that is no impossible pair, but a failure."""
    return bool(cell["status"] == "skipped" and (cell["reason"] or "").startswith("artifact "))


def _warnings(run: Mapping[str, Any], cells: Cells) -> list[str]:
    lines = []
    for cell, numbers in zip(run["cells"], cells, strict=True):
        where = full_name(run, cell["vary"])
        for label, one in numbers.items():
            lost = sum(not math.isfinite(value) for value in one.values)
            if lost:
                lines.append(
                    f"{where}: {lost} of {len(one.values)} seeds have no finite {label}; the others are compared"
                )
    return doubts(run, cells) + lines + _few(run, [len(one.seeds) for numbers in cells for one in numbers.values()])


def _few(run: Mapping[str, Any], seeds: Sequence[int]) -> list[str]:
    """A line where seeds are too few for the comparisons that are made."""
    least = min(seeds, default=0)
    if not 0 < least < 5 or len(run["cells"]) < 2 or run["interval"] == "examples":
        return []
    if least == 1:
        return ["one seed: no verdict, since one seed says nothing about other seeds"]
    return [
        f"{least} seeds: {least - 1} degree{'s' * (least > 2)} of freedom, so only large differences can be told apart"
    ]


def _clean(value: Any) -> Any:
    """The same data with null for numbers that JSON does not have."""
    if isinstance(value, Mapping):
        return {key: _clean(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
