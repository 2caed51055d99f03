"""Pairing of rows with their baselines: problems, partners, labels. Needs no numbers, so that `validate` can use it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import BenchError, near_miss
from harness.results.model import RowInfo, RunInfo
from harness.results.statements import Reason, ReasonKind
from harness.results.values import Label, Labels

Key = tuple[str, ...]
Axes = Mapping[str, Sequence[Label]]


@dataclass(frozen=True)
class Partner:
    """Row to compare with: its place `index` (a baseline's row is its own partner), or `why` there is none."""

    index: int | None
    why: Reason | None = None


def partners(info: RunInfo, rows: Sequence[RowInfo]) -> list[Partner] | None:
    """Return the partner of every row; None without a baseline.

    A name matches a contender's label, or a component's name where one row of the problem has it. A mapping replaces
    the named axes and leaves the others. Raises BenchError with the choices if it matches no row.
    """
    if info.baseline is None:
        return None
    places = [row.vary for row in rows]
    if isinstance(info.baseline, str):
        axes = {axis: info.axes[axis] for axis in competing(info)}
        return _by_name(places, problems(info, rows), axes, info.baseline)
    return _by_axes(places, info.axes, info.baseline)


def is_control(info: RunInfo, row: RowInfo) -> bool:
    """Return whether a row has a component that is a control: no contender, but a yardstick beside them."""
    named = {(kind, spec.get("name")) for kind, spec in row.parameters.items() if isinstance(spec, dict)}
    return not named.isdisjoint(info.controls)


def competing(info: RunInfo) -> list[str]:
    """Return the axes whose points compete: those outside `group_by`, by default the protocol's contenders."""
    inside = info.group_by
    return [axis for axis in info.axes if (axis in info.contenders if inside is None else axis not in inside)]


def problems(info: RunInfo, rows: Sequence[RowInfo]) -> dict[Key, list[int]]:
    """Group the places of rows by problem: the same labels on every axis that does not compete.

    An axis with one label does not divide: a contender that ignores it is in the problem of those that use it.
    """
    inner = competing(info)
    inside = [axis for axis in _several(info.axes) if axis not in inner]
    groups: dict[Key, list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(_key(row.vary, inside), []).append(index)
    return groups


def naming(info: RunInfo) -> tuple[list[str], list[str]]:
    """Return (axes that name a row, axes that name its problem), those with several points; a baseline's name rows."""
    several = _several(info.axes)
    inner = {*competing(info), *(info.baseline if isinstance(info.baseline, Mapping) else ())}
    rows = [axis for axis in several if axis in inner] or [axis for axis in info.axes if axis in inner]
    return rows, [axis for axis in several if axis not in inner]


def text(vary: Labels, axes: Sequence[str]) -> str:
    """Join the labels on some axes as text; a number is preceded by the name of its axis."""
    labels = [(axis, vary.get(axis)) for axis in axes]
    return " / ".join(
        label if isinstance(label, str) else f"{axis}={label}" for axis, label in labels if label is not None
    )


def full_name(info: RunInfo, vary: Labels) -> str:
    """Return the name of a row, with its problem if there are several: `hinge on digits`."""
    return " on ".join(filter(None, (text(vary, axes) for axes in naming(info))))


def _several(axes: Axes) -> list[str]:
    return [axis for axis, labels in axes.items() if len(labels) > 1]


def _key(vary: Labels, axes: Sequence[str]) -> Key:
    return tuple(str(vary.get(axis)) for axis in axes)


def _by_name(rows: Sequence[Labels], groups: dict[Key, list[int]], axes: Axes, name: str) -> list[Partner]:
    known = any(name in map(str, labels) for labels in axes.values())  # its rows may have been left out by -k
    found = [Partner(None, Reason(ReasonKind.NO_ROW, name=name))] * len(rows)
    for members in groups.values():
        labels = {index: [str(rows[index].get(axis)) for axis in axes] for index in members}
        matches = [i for i in members if name in labels[i]]
        if not known:
            matches = [i for i in members if _plain(name) in map(_component, labels[i])]
        if len(matches) > 1:
            choices = ", ".join(sorted({text(rows[i], list(axes)) for i in matches}))
            raise BenchError(
                f"baseline: {name} is {len(matches)} rows of one problem ({choices}): name one, or its axes"
            )
        for index in members if matches else []:
            found[index] = Partner(matches[0])
    if rows and not known and all(partner.index is None for partner in found):
        choice = near_miss(name, _words(str(row.get(axis)) for row in rows for axis in axes))
        raise BenchError(f"baseline: no row is {name}{choice}")
    return found


def _by_axes(rows: Sequence[Labels], axes: Axes, baseline: Labels) -> list[Partner]:
    wanted = {axis: _choose(axis, axes, str(label)) for axis, label in baseline.items()}
    apart = _several(axes)
    where = {_key(row, apart): index for index, row in enumerate(rows)}
    found = []
    for row in rows:
        index = where.get(_key({**row, **wanted}, apart))
        why = None if index is not None else Reason(ReasonKind.NO_PARTNER, name=text(wanted, list(wanted)))
        found.append(Partner(index, why))
    return found


def _choose(axis: str, axes: Axes, name: str) -> str:
    if axis not in axes:
        raise BenchError(f"baseline: no axis {axis}{near_miss(axis, axes)}")
    labels = [str(label) for label in axes[axis]]
    matches = [label for label in labels if label == name] or [x for x in labels if _component(x) == _plain(name)]
    if len(matches) != 1:
        choices = near_miss(name, _words(labels)) if not matches else f" ({', '.join(matches)}): name one"
        raise BenchError(f"baseline: {axis} {name} is {len(matches) or 'no'} row{'s' * (len(matches) > 1)}{choices}")
    return matches[0]


def _words(labels: Iterable[str]) -> set[str]:
    """Return every name of a label: the label itself and its component's name."""
    return {word for label in labels for word in (label, label.split("(", 1)[0])}


def _component(label: str) -> str:
    return _plain(label.split("(", 1)[0])


def _plain(name: str) -> str:
    return name.strip().replace("-", "_")
