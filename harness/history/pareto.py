"""Quality against speed: one result made of two, in which the best of a problem are those that nobody beats in both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analysis.pairing import competing, problems
from harness.errors import BenchError

Result = Mapping[str, Any]
Cell = Mapping[str, Any]


def pareto(quality: Result, speed: Result) -> dict[str, Any]:
    """Every contender of both results with the first metric of each, on every pair of their problems.

    Contenders are the same where all kinds that both results have are the same components, those that compete in
    `speed` among them, and so are the settings that vary in both, a device aside. Marks are "best" on the
    front, "beaten" where somebody is surely better in one metric and no worse in the other, "tied" in between. Raises
    BenchError where no contender is in both results, or one judges nothing.
    """
    metrics = [result["measure"][0] for result in (quality, speed)]
    for metric, result in zip(metrics, (quality, speed), strict=True):
        if metric["better"] is None:
            raise BenchError(f"{result['run']}: {metric['label']} comes first, and judges nothing")
    cells = [cell for group in _groups(quality, speed) for cell in _marked(group, metrics)]
    if not cells:
        raise BenchError(f"no contender is measured in both {quality['run']} and {speed['run']}")
    axes: dict[str, list[Any]] = {}
    for cell in cells:
        for axis, label in cell["vary"].items():
            axes.setdefault(axis, []).extend([] if label in axes.get(axis, []) else [label])
    return {
        **{key: quality[key] for key in ("schema", "environment", "interval")},
        "suite": f"{quality['suite']} and {speed['suite']}",
        "question": "Who is not beaten in both quality and speed?",
        "run": f"{quality['run']} + {speed['run']}",
        "protocol": "pareto",
        "measure": metrics,
        "axes": axes,
        "contenders": competing(speed),
        "cells": cells,
        "answer": _answer(cells, competing(speed)),
        "warnings": [*quality["warnings"], *speed["warnings"]],
    }


def _groups(quality: Result, speed: Result) -> Iterator[list[dict[str, Any]]]:
    """The cells of every pair of problems."""
    for theirs in problems(quality).values():
        for ours in problems(speed).values():
            pairs = [(quality["cells"][i], speed["cells"][k]) for i in theirs for k in ours]
            yield [_joined(speed, *pair) for pair in pairs if _same(speed, *pair)]


def _same(speed: Result, one: Cell, other: Cell) -> bool:
    """Whether two measured cells are of the same components, as far as both have any, at the same settings."""
    theirs, ours = one["parameters"], other["parameters"]
    known = [axis for axis in competing(speed) if axis in ours]
    kinds = {*known, *(theirs.keys() & ours.keys())}
    settings = (one["vary"].keys() & other["vary"].keys()) - kinds - {"device"}
    alike = all(theirs.get(kind) == ours[kind] for kind in kinds)
    alike = alike and all(one["vary"][axis] == other["vary"][axis] for axis in settings)
    return bool(known) and alike and one["status"] == other["status"] == "ok"


def _joined(speed: Result, one: Cell, other: Cell) -> dict[str, Any]:
    numbers = {**one["metrics"], **other["metrics"]}
    vary = {**other["vary"], **one["vary"]} | {axis: other["vary"][axis] for axis in competing(speed)}
    nothing: dict[str, Any] = {"against": {}, "best": {}, "seconds": None, "tuned": {}, "notes": []}
    return {**one, "vary": vary, "metrics": numbers, **nothing}


def _marked(group: Sequence[dict[str, Any]], metrics: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    whole = [cell for cell in group if all(_ends(cell, metric) for metric in metrics)]
    for cell in whole:
        others = [other for other in whole if other is not cell]
        mark = "beaten" if any(_beats(other, cell, metrics, surely=True) for other in others) else "best"
        if mark == "best" and any(_beats(other, cell, metrics, surely=False) for other in others):
            mark = "tied"
        cell["best"] = {metric["label"]: mark for metric in metrics}
    return whole


def _ends(cell: Cell, metric: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """(worst, mean, best) of the interval, larger is better; the mean alone where there is no interval."""
    entry = cell["metrics"].get(metric["label"])
    if not entry or entry["mean"] is None:
        return None
    sign = 1 if metric["better"] == "higher" else -1
    ends = [sign * entry[key] for key in ("low", "high") if entry[key] is not None] or [sign * entry["mean"]]
    return min(ends), sign * entry["mean"], max(ends)


def _beats(one: Cell, other: Cell, metrics: Sequence[Mapping[str, Any]], surely: bool) -> bool:
    """Whether one is no worse in any metric, and better in some; surely where the intervals there do not overlap."""
    pairs = [(_ends(one, metric), _ends(other, metric)) for metric in metrics]
    ends = [(mine, theirs) for mine, theirs in pairs if mine and theirs]
    if any(mine[1] < theirs[1] for mine, theirs in ends):
        return False
    return any(mine[0] > theirs[2] if surely else mine[1] > theirs[1] for mine, theirs in ends)


def _answer(cells: Sequence[Cell], axes: Sequence[str]) -> str:
    front = [cell for cell in cells if "best" in cell["best"].values()]
    names = dict.fromkeys(" / ".join(str(cell["vary"][axis]) for axis in axes) for cell in front)
    return f"Not beaten in both somewhere: {', '.join(names)}."
