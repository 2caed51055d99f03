"""Numeric fields of components as axes: `cloud(dim=3)`, `cloud(dim=10)` are `cloud` at two values of dim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.base import label
from harness.figures.run import StoredRun
from harness.report.view import axes_of
from harness.results import Json, Label, Row

Field = tuple[str, str, str]
"""A kind, a component of it and a field of this component."""


def opened(stored: StoredRun) -> tuple[StoredRun, list[str]]:
    """Return the run with an axis for every field with several numbers, and the names of these axes.

    A field becomes an axis if every row with its component states a number and is labeled by its fields: defaults are
    omitted from a row's spec, and a name that the suite gave may contain the number.
    """
    run = stored.run
    fields = {key: f"{key[0]}.{key[2]}" if key[2] in run.axes else key[2] for key in _fields(run.cells)}
    rows = tuple(replace(row, vary=_vary(row, fields)) for row in run.cells)

    def beside(axes: Sequence[str]) -> tuple[str, ...]:
        """Return those axes, and the new ones of their kinds."""
        return (*axes, *dict.fromkeys(new for (kind, *_), new in fields.items() if kind in axes))

    found = replace(
        run,
        axes=axes_of(row.vary for row in rows),
        contenders=beside(run.contenders),
        group_by=None if run.group_by is None else beside(run.group_by),
        cells=rows,
    )
    return StoredRun(found, stored.results), list(dict.fromkeys(fields.values()))


def _fields(rows: Sequence[Row]) -> list[Field]:
    """Return the fields that become axes."""
    seen: dict[Field, list[float]] = {}
    times: dict[tuple[str, str], int] = {}
    for row in rows:
        for kind in row.parameters:
            spec = _spec(row, kind)
            name = str(spec.get("name"))
            times[kind, name] = times.get((kind, name), 0) + 1
            for field, value in spec.items() if row.vary.get(kind) == label(spec) else ():
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    seen.setdefault((kind, name, field), []).append(value)
    return [key for key, values in seen.items() if len(set(values)) > 1 and len(values) == times[key[:2]]]


def _spec(row: Row, kind: str) -> dict[str, Json]:
    """Return the component of a kind as data; empty if the row has none."""
    spec = row.parameters.get(kind)
    return spec if isinstance(spec, dict) else {}


def _vary(row: Row, fields: Mapping[Field, str]) -> dict[str, Label]:
    """Return the row's place on the old axes and on the new ones, each after its component's axis."""
    found: dict[str, Label] = {}
    for axis, text in row.vary.items():
        spec = _spec(row, axis)
        keys = {field: (axis, str(spec.get("name")), field) for field in spec}
        new = {field: fields[key] for field, key in keys.items() if key in fields}
        found[axis] = label({field: value for field, value in spec.items() if field not in new}) if new else text
        found |= {name: value for field, name in new.items() if isinstance(value := spec[field], (int, float))}
    return found
