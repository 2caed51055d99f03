"""Which cell is compared with which: problems, the baseline's row, labels. Needs no numbers, so `validate` can ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import BenchError, near_miss

Vary = Mapping[str, Any]
Key = tuple[str, ...]


@dataclass(frozen=True)
class Partner:
    """What a cell is compared with: the cell at `index` (its own index on a baseline row), or the `reason` for none."""

    index: int | None
    reason: str | None = None


def partners(run: Mapping[str, Any]) -> list[Partner] | None:
    """The partner of every cell, None without a baseline. Reads "axes", "contenders", "within", "baseline", "cells".

    A name matches a contender's label, or a component's name where one row of the problem has it. A mapping replaces
    the named axes and leaves the others. Raises BenchError naming the choices.
    """
    baseline = run.get("baseline")
    if baseline is None:
        return None
    rows: list[Vary] = [cell["vary"] for cell in run["cells"]]
    if isinstance(baseline, str):
        axes = {axis: run["axes"][axis] for axis in competing(run)}
        return _by_name(rows, problems(run), axes, baseline)
    return _by_axes(rows, run["axes"], baseline)


def competing(run: Mapping[str, Any]) -> list[str]:
    """The axes whose points compete with each other: those outside `within`, by default the protocol's contenders."""
    within = run.get("within")
    return [axis for axis in run["axes"] if (axis in run["contenders"] if within is None else axis not in within)]


def problems(run: Mapping[str, Any]) -> dict[Key, list[int]]:
    """Cells by problem: the same labels on every axis that does not compete.

    An axis with one label divides nothing: a contender that makes no use of it stands beside those that do.
    """
    inside = [axis for axis in _several(run["axes"]) if axis not in competing(run)]
    groups: dict[Key, list[int]] = {}
    for index, cell in enumerate(run["cells"]):
        groups.setdefault(_key(cell["vary"], inside), []).append(index)
    return groups


def naming(run: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """(axes that name a row, axes that name its problem): those with several points; a baseline's axes name rows."""
    several = _several(run["axes"])
    baseline = run.get("baseline")
    inner = {*competing(run), *(baseline if isinstance(baseline, Mapping) else ())}
    rows = [axis for axis in several if axis in inner] or [axis for axis in run["axes"] if axis in inner]
    return rows, [axis for axis in several if axis not in inner]


def text(vary: Vary, axes: Sequence[str]) -> str:
    """The labels on some axes as text; a number carries its axis' name."""
    labels = [(axis, vary.get(axis)) for axis in axes]
    return " / ".join(
        label if isinstance(label, str) else f"{axis}={label}" for axis, label in labels if label is not None
    )


def full_name(run: Mapping[str, Any], vary: Vary) -> str:
    """A row with its problem, where there are several: `hinge on digits`."""
    return " on ".join(filter(None, (text(vary, axes) for axes in naming(run))))


def replicates(run: Mapping[str, Any]) -> str:
    """What a metric has a value of: seeds, or blocks."""
    return str(run.get("replicates") or "seeds")


def _several(axes: Mapping[str, Sequence[Any]]) -> list[str]:
    return [axis for axis, labels in axes.items() if len(labels) > 1]


def _key(vary: Vary, axes: Sequence[str]) -> Key:
    return tuple(str(vary.get(axis)) for axis in axes)


def _by_name(
    rows: list[Vary], groups: dict[Key, list[int]], axes: Mapping[str, Sequence[Any]], name: str
) -> list[Partner]:
    known = any(name in map(str, labels) for labels in axes.values())  # its rows may have been left out by -k
    found = [Partner(None, f"no row of this problem is {name}")] * len(rows)
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


def _by_axes(rows: list[Vary], axes: Mapping[str, Sequence[Any]], baseline: Mapping[str, Any]) -> list[Partner]:
    wanted = {axis: _choose(axis, axes, str(label)) for axis, label in baseline.items()}
    apart = _several(axes)
    where = {_key(row, apart): index for index, row in enumerate(rows)}
    found = []
    for row in rows:
        index = where.get(_key({**row, **wanted}, apart))
        reason = None if index is not None else f"no row is the same but for {text(wanted, list(wanted))}"
        found.append(Partner(index, reason))
    return found


def _choose(axis: str, axes: Mapping[str, Sequence[Any]], name: str) -> str:
    if axis not in axes:
        raise BenchError(f"baseline: no axis {axis}{near_miss(axis, axes)}")
    labels = [str(label) for label in axes[axis]]
    matches = [label for label in labels if label == name] or [x for x in labels if _component(x) == _plain(name)]
    if len(matches) != 1:
        choices = near_miss(name, _words(labels)) if not matches else f" ({', '.join(matches)}): name one"
        raise BenchError(f"baseline: {axis} {name} is {len(matches) or 'no'} row{'s' * (len(matches) > 1)}{choices}")
    return matches[0]


def _words(labels: Iterable[str]) -> set[str]:
    """Everything that names a label: itself and its component."""
    return {word for label in labels for word in (label, label.split("(", 1)[0])}


def _component(label: str) -> str:
    return _plain(label.split("(", 1)[0])


def _plain(name: str) -> str:
    return name.strip().replace("-", "_")
