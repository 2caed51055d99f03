"""A result as a reader meets it: problems, each with its contenders, the baseline first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from harness.analysis.pairing import competing, naming, problems, text
from harness.report.parts import Cell, Problem, Row, View

ONLY = "(only one)"
"""The label of a row where nothing tells rows apart."""


def view(data: Mapping[str, Any]) -> View:
    """Groups the cells of a result by problem, in the order of the cells; names them as the answer does."""
    cells: list[Cell] = list(data.get("cells") or [])
    run = _run(data, cells)
    inner = competing(run)
    rows, places = naming(run)
    outer = [axis for axis in run["axes"] if axis not in inner]
    titles = [axis for axis in outer if len(run["axes"][axis]) > 1] or outer
    groups = [[cells[index] for index in members] for members in problems(run).values()]
    sources = list(dict.fromkeys(map(_source, data.get("published") or [])))
    found = []
    for group in groups:
        here = [e for e in data.get("published") or [] if _same(_vary(e), _vary(group[0]), outer)]
        title = text(_vary(group[0]), titles)
        found.append(Problem(title, _rows(group, run, rows, places), _published(here, rows, sources)))
    rest = [axis for axis in run["axes"] if axis not in titles + rows]
    same = tuple(filter(None, [text(_vary(cell), [axis]) for cell in cells[:1] for axis in rest]))
    return View(data, tuple(found), tuple(_metrics(data, cells)), tuple(rows), same, tuple(sources))


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
        rows.append(Row(cell, label or ONLY, text(_vary(cell), places), baseline))
    return tuple(_ordered(rows))


def _ordered(rows: Sequence[Row]) -> list[Row]:
    """Every baseline above the rows that are compared with it; rows that were not compared come last."""
    places = {row.label: place for place, row in enumerate(row for row in rows if row.baseline)}
    if len(places) < 2:
        return sorted(rows, key=lambda row: not row.baseline)
    return sorted(rows, key=lambda row: (places.get(row.compared or row.label, len(places)), not row.baseline))


def _published(entries: Sequence[Mapping[str, Any]], axes: Sequence[str], sources: Sequence[str]) -> tuple[Row, ...]:
    """A row for every contender of every paper, with a number for every metric that the paper has."""
    metrics: dict[tuple[str, int], dict[str, Any]] = {}
    for entry in entries:
        label = text(_vary(entry), axes) or ONLY
        found = metrics.setdefault((label, sources.index(_source(entry)) + 1), {})
        found[str(entry["metric"])] = {"mean": entry["value"]}
    return tuple(Row({"metrics": found}, label, "", False, number) for (label, number), found in metrics.items())


def _source(entry: Mapping[str, Any]) -> str:
    return f"{entry['source']} ({entry['note']})" if entry.get("note") else str(entry["source"])


def _same(vary: Mapping[str, Any], other: Mapping[str, Any], axes: Sequence[str]) -> bool:
    return all(str(vary.get(axis)) == str(other.get(axis)) for axis in axes)


def _is_baseline(label: str, vary: Mapping[str, Any], baseline: Any, names: Collection[Any]) -> bool:
    if isinstance(baseline, Mapping) and baseline:
        return label in names or all(str(vary.get(axis)) == str(value) for axis, value in baseline.items())
    return label in names or (baseline is not None and baseline in [label, *vary.values()])


def _metrics(data: Mapping[str, Any], cells: Sequence[Cell]) -> list[Mapping[str, Any]]:
    """The suite's metrics in its order; from the cells where the result does not list them."""
    found: dict[str, Mapping[str, Any]] = {str(entry["label"]): entry for entry in data.get("measure") or []}
    for cell in cells:
        for name, entry in (cell.get("metrics") or {}).items():
            found.setdefault(name, {"label": name, **{key: (entry or {}).get(key) for key in ("better", "unit")}})
    return list(found.values())
