"""A result as a reader meets it: problems, each with its contenders, the baseline first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.pairing import competing, naming, problems, text

Cell = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One contender on one problem; `place` is the problem's name, empty where there is only one."""

    cell: Cell
    label: str
    place: str
    baseline: bool

    @property
    def status(self) -> str:
        """`ok`, or why there is nothing to compare."""
        return str(self.cell.get("status") or "ok")

    def metric(self, name: str) -> Mapping[str, Any]:
        """The metric's values and interval; empty where it was not measured."""
        return (self.cell.get("metrics") or {}).get(name) or {}

    def against(self, name: str) -> Mapping[str, Any]:
        """The comparison with the baseline; empty where there is none."""
        return (self.cell.get("against") or {}).get(name) or {}

    def best(self, name: str) -> str | None:
        """`best`, `tied` or `beaten` within the problem."""
        return (self.cell.get("best") or {}).get(name)

    @property
    def measured(self) -> bool:
        """Whether any metric has a number."""
        return any(entry and entry.get("mean") is not None for entry in (self.cell.get("metrics") or {}).values())


@dataclass(frozen=True)
class Problem:
    """The contenders that are judged against each other."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class View:
    """A whole result: its problems, its metrics (the first is primary) and what is the same everywhere."""

    data: Mapping[str, Any]
    problems: tuple[Problem, ...]
    metrics: tuple[Mapping[str, Any], ...]
    row_axes: tuple[str, ...]
    constants: tuple[str, ...]

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


def view(data: Mapping[str, Any]) -> View:
    """Groups the cells of a result by problem, in the order of the cells; names them as the answer does."""
    cells: list[Cell] = list(data.get("cells") or [])
    run = _run(data, cells)
    inner = competing(run)
    rows, places = naming(run)
    outer = [axis for axis in run["axes"] if axis not in inner]
    titles = [axis for axis in outer if len(run["axes"][axis]) > 1] or outer
    groups = [[cells[index] for index in members] for members in problems(run).values()]
    found = [Problem(text(_vary(group[0]), titles), _rows(group, run, rows, places)) for group in groups]
    rest = [axis for axis in run["axes"] if axis not in titles + rows]
    constants = [text(_vary(cell), [axis]) for cell in cells[:1] for axis in rest]
    return View(data, tuple(found), tuple(_metrics(data, cells)), tuple(rows), tuple(filter(None, constants)))


def _vary(cell: Cell) -> Mapping[str, Any]:
    return cell.get("vary") or {}


def _run(data: Mapping[str, Any], cells: Sequence[Cell]) -> dict[str, Any]:
    """What naming and grouping read; a result that lists no axes has those of its cells, and all of them compete."""
    axes: dict[str, list[Any]] = {axis: list(labels) for axis, labels in (data.get("axes") or {}).items()}
    for cell in cells:
        for axis, label in _vary(cell).items():
            known = axes.setdefault(axis, [])
            known += [label] if label is not None and label not in known else []
    kept = {key: data.get(key) for key in ("within", "baseline")}
    contenders = data.get("contenders") or list(axes)
    return {**kept, "axes": axes, "contenders": contenders, "cells": [{**cell, "vary": _vary(cell)} for cell in cells]}


def _rows(cells: Sequence[Cell], run: Mapping[str, Any], axes: Sequence[str], places: Sequence[str]) -> tuple[Row, ...]:
    names = {entry.get("baseline") for cell in run["cells"] for entry in (cell.get("against") or {}).values() if entry}
    rows = []
    for cell in cells:
        label = text(_vary(cell), axes)
        compared = any((cell.get("against") or {}).values())
        baseline = not compared and _is_baseline(label, _vary(cell), run["baseline"], names)
        rows.append(Row(cell, label or "(only one)", text(_vary(cell), places), baseline))
    return tuple(sorted(rows, key=lambda row: not row.baseline))


def _is_baseline(label: str, vary: Mapping[str, Any], baseline: Any, names: Collection[Any]) -> bool:
    if label in names:
        return True
    if isinstance(baseline, Mapping):
        return bool(baseline) and all(str(vary.get(axis)) == str(value) for axis, value in baseline.items())
    return baseline is not None and baseline in [label, *vary.values()]


def _metrics(data: Mapping[str, Any], cells: Sequence[Cell]) -> list[Mapping[str, Any]]:
    """The suite's metrics in its order; from the cells where the result does not list them."""
    found: dict[str, Mapping[str, Any]] = {str(entry["label"]): entry for entry in data.get("measure") or []}
    for cell in cells:
        for name, entry in (cell.get("metrics") or {}).items():
            facts = entry or {}
            found.setdefault(name, {"label": name, "better": facts.get("better"), "unit": facts.get("unit")})
    return list(found.values())
