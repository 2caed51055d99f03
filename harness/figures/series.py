"""A metric along an axis of numbers: the points of every contender on every problem, and the missing ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from harness.analysis.pairing import text
from harness.figures.run import StoredRun
from harness.report.view import axes_of
from harness.report.words import NO_REASON, reason, together
from harness.results import Label, Labels, MetricValue, Row, Status

AT = 3
"""Number of missing points that are named; the others are counted."""


@dataclass(frozen=True)
class Point:
    """A mean at x, with its interval if there is one."""

    x: float
    mean: float
    low: float | None = None
    high: float | None = None


@dataclass
class Line:
    """One contender on one problem; `looks` are the labels on its first axis and on its other axes.

    `source` is the paper of a published line.
    """

    label: str
    looks: tuple[str, str]
    is_control: bool = False
    source: str = ""
    points: list[Point] = field(default_factory=list)


@dataclass
class Panel:
    """One problem: its contenders, in the order of the suite."""

    title: str
    lines: dict[tuple[str, str], Line] = field(default_factory=dict)

    def line(self, like: Line) -> Line:
        """Return the panel's line of that contender and source."""
        return self.lines.setdefault((like.label, like.source), like)


@dataclass
class Series:
    """All problems, and a sentence for every missing point."""

    panels: list[Panel]
    missing: list[str]

    @property
    def lines(self) -> list[Line]:
        """Return the lines of all panels."""
        return [line for panel in self.panels for line in panel.lines.values()]

    @property
    def points(self) -> list[Point]:
        """Return the points of all lines."""
        return [point for line in self.lines for point in line.points]


def numeric(stored: StoredRun) -> dict[str, list[float]]:
    """Return the axes along which several numbers vary, with these numbers in order."""
    found = {axis: [label for label in labels if is_number(label)] for axis, labels in _varied(stored).items()}
    return {axis: sorted(numbers) for axis, numbers in found.items() if len(numbers) == len(_varied(stored)[axis])}


def series(stored: StoredRun, metric: str, axis: str) -> Series:
    """Return the points of a metric along an axis. A contender that ignores it is level; such a problem is left out.

    Along a budget, as `nfe`, a point lies at what was used, not at what was asked for.
    """
    names = [name for name in stored.view.row_axes if name != axis]
    outer = [name for name in _varied(stored) if name not in (*names, axis)]
    rows = stored.rows
    panels = {
        title: Panel(title) for title in (text(row.vary, outer) for row in rows if row.vary.get(axis) is not None)
    }
    missing: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        panel = panels.get(text(row.vary, outer))
        if panel is None:
            continue
        line = panel.line(_line(row.vary, names, control=stored.is_control(row)))
        found = row.metrics.get(metric)
        if found is None or found.mean is None:
            why = missing.setdefault(line.label, {}).setdefault(_why(row, found), [])
            why.append(text(row.vary, [*outer, axis]))
            continue
        x = row.vary.get(axis)
        if is_number(x) and not stored.is_control(row):
            x = (row.used or {}).get(axis, x)
        for place in [x] if is_number(x) else numeric(stored)[axis]:
            line.points.append(Point(place, found.mean, found.low, found.high))
    for number in stored.run.published:
        title, x = text(number.vary, outer), number.vary.get(axis)
        if number.metric == metric and is_number(x) and title in panels:
            line = panels[title].line(_line(number.vary, names, source=number.source))
            line.points.append(Point(x, number.value))
    kept = [panel for panel in map(_drawn, panels.values()) if panel.lines]
    return Series(kept, _sentences(missing, {line.label for panel in kept for line in panel.lines.values()}))


def _line(vary: Labels, names: list[str], control: bool = False, source: str = "") -> Line:
    return Line(text(vary, names), (text(vary, names[:1]), text(vary, names[1:])), control, source)


def _drawn(panel: Panel) -> Panel:
    """Return the panel with the lines that have points, from left to right."""
    kept = {key: line for key, line in panel.lines.items() if line.points}
    for line in kept.values():
        line.points.sort(key=lambda point: point.x)
    return Panel(panel.title, kept)


def _why(row: Row, found: MetricValue | None) -> str:
    if row.status is not Status.OK:
        return f"{row.status}, {reason(row.why) if row.why else NO_REASON}"
    return reason(found.why) if found is not None and found.why else "not measured"


def _sentences(missing: Mapping[str, Mapping[str, list[str]]], seen: Collection[str]) -> list[str]:
    """Describe missing points: contenders, places (unless all) and reason; contenders with the same text together."""
    groups: dict[str, list[str]] = {}
    for label, reasons in missing.items():
        for why, places in reasons.items():
            named = list(filter(None, places)) if label in seen else []
            where = f" at {together(named, AT)}" if named else ""
            groups.setdefault(f"{where}: {why}", []).append(label)
    return [f"{', '.join(labels)}{rest}" for rest, labels in groups.items()]


def _varied(stored: StoredRun) -> dict[str, list[Label]]:
    """Return the axes on which rows differ, with their labels."""
    return {axis: labels for axis, labels in axes_of(row.vary for row in stored.rows).items() if len(labels) > 1}


def is_number(value: Label) -> TypeGuard[float]:
    """Return whether a label is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
