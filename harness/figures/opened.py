"""Numbers inside components as axes of their own: `cloud(dim=3)`, `cloud(dim=10)` are `cloud` at two values of dim."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.base import label
from harness.figures.run import Run

Cell = Mapping[str, Any]
Field = tuple[str, str, str]
"""A kind, a component of it and a field of this one."""


def opened(run: Run) -> tuple[Run, list[str]]:
    """The run with an axis for every field that has several numbers, and the names of these axes.

    A field opens where every cell with its component says a number and is called by its fields: a default is left out
    of what a cell says, and a name that the suite gave may hold the number.
    """
    known = run.data.get("axes") or {}
    fields = {key: f"{key[0]}.{key[2]}" if key[2] in known else key[2] for key in _fields(run.cells)}
    cells = [{**cell, "vary": _vary(cell, fields)} for cell in run.cells]
    axes: dict[str, list[Any]] = {}
    for cell in cells:
        for axis, value in cell["vary"].items():
            labels = axes.setdefault(axis, [])
            labels += [value] if value not in labels else []
    beside = {
        key: [*run.data[key], *{new: None for (kind, *_), new in fields.items() if kind in run.data[key]}]
        for key in ("contenders", "within")
        if run.data.get(key)
    }
    return Run({**run.data, **beside, "axes": axes, "cells": cells}, run.results), list(dict.fromkeys(fields.values()))


def _fields(cells: list[Cell]) -> list[Field]:
    """The fields that open."""
    seen: dict[Field, list[Any]] = {}
    times: dict[tuple[str, str], int] = {}
    for cell in cells:
        for kind, spec in (cell.get("parameters") or {}).items():
            times[kind, spec["name"]] = times.get((kind, spec["name"]), 0) + 1
            for field, value in spec.items() if (cell.get("vary") or {}).get(kind) == label(spec) else ():
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    seen.setdefault((kind, spec["name"], field), []).append(value)
    return [key for key, values in seen.items() if len(set(values)) > 1 and len(values) == times[key[:2]]]


def _vary(cell: Cell, fields: Mapping[Field, str]) -> dict[str, Any]:
    """The cell's place on the old axes and, each behind its component's, the new ones."""
    found: dict[str, Any] = {}
    for axis, text in (cell.get("vary") or {}).items():
        spec = (cell.get("parameters") or {}).get(axis, {})
        new = {field: fields[axis, spec["name"], field] for field in spec if (axis, spec["name"], field) in fields}
        found[axis] = label({field: value for field, value in spec.items() if field not in new}) if new else text
        found |= {name: spec[field] for field, name in new.items()}
    return found
