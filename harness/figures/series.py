"""A metric along an axis of numbers: the points of every contender on every problem, and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.analysis.pairing import text
from harness.figures.run import Run

Cell = Mapping[str, Any]


@dataclass(frozen=True)
class Point:
    """A mean at x, with its interval where there is one."""

    x: float
    mean: float
    low: float | None = None
    high: float | None = None


@dataclass
class Line:
    """One contender on one problem; `looks` are the labels on its first axis and on its other axes.

    A control is a yardstick and no method; `source` is what a published line is taken from.
    """

    label: str
    looks: tuple[str, str]
    control: bool = False
    source: str = ""
    points: list[Point] = field(default_factory=list)


@dataclass
class Panel:
    """One problem: its contenders, in the order of the suite."""

    title: str
    lines: dict[tuple[str, str], Line] = field(default_factory=dict)

    def line(self, like: Line) -> Line:
        """The panel's line of that contender and source."""
        return self.lines.setdefault((like.label, like.source), like)


@dataclass
class Series:
    """All problems, and a sentence for every point that there is not."""

    panels: list[Panel]
    missing: list[str]

    @property
    def lines(self) -> list[Line]:
        """The lines of all panels."""
        return [line for panel in self.panels for line in panel.lines.values()]

    @property
    def points(self) -> list[Point]:
        """The points of all lines."""
        return [point for line in self.lines for point in line.points]


def numeric(run: Run) -> dict[str, list[float]]:
    """The axes along which several numbers vary, with these numbers in order."""
    return {axis: sorted(labels) for axis, labels in _varied(run).items() if all(map(_is_number, labels))}


def series(run: Run, metric: str, axis: str) -> Series:
    """The points of a metric along an axis. A contender that ignores it is level; a problem that does is left out."""
    rows = [name for name in run.view.row_axes if name != axis]
    outer = [name for name in _varied(run) if name not in (*rows, axis)]
    numbers = numeric(run)[axis]
    places = [cell.get("vary") or {} for cell in run.cells]
    panels = {title: Panel(title) for title in (text(vary, outer) for vary in places if vary.get(axis) is not None)}
    missing: dict[str, dict[str, list[str]]] = {}
    for cell, vary in zip(run.cells, places, strict=True):
        panel = panels.get(text(vary, outer))
        if panel is None:
            continue
        line = panel.line(_line(vary, rows, control=run.controls(cell)))
        entry = (cell.get("metrics") or {}).get(metric) or {}
        if entry.get("mean") is None:
            why = missing.setdefault(line.label, {}).setdefault(_why(cell, entry), [])
            why.append(text(vary, [*outer, axis]))
            continue
        for x in numbers if vary.get(axis) is None else [vary[axis]]:
            line.points.append(Point(x, entry["mean"], entry.get("low"), entry.get("high")))
    for entry in run.data.get("published") or []:
        vary = entry.get("vary") or {}
        title = text(vary, outer)
        if entry.get("metric") == metric and _is_number(vary.get(axis)) and title in panels:
            line = panels[title].line(_line(vary, rows, source=str(entry.get("source"))))
            line.points.append(Point(vary[axis], entry["value"]))
    kept = [panel for panel in map(_drawn, panels.values()) if panel.lines]
    return Series(kept, _sentences(missing, {line.label for panel in kept for line in panel.lines.values()}))


def _line(vary: Mapping[str, Any], rows: list[str], control: bool = False, source: str = "") -> Line:
    return Line(text(vary, rows), (text(vary, rows[:1]), text(vary, rows[1:])), control, source)


def _drawn(panel: Panel) -> Panel:
    """The panel with the lines that have points, from left to right."""
    kept = {key: line for key, line in panel.lines.items() if line.points}
    for line in kept.values():
        line.points.sort(key=lambda point: point.x)
    return Panel(panel.title, kept)


def _why(cell: Cell, entry: Mapping[str, Any]) -> str:
    if cell.get("status") != "ok":
        return f"{cell.get('status')}, {cell.get('reason') or 'no reason given'}"
    return str(entry.get("reason") or "not measured")


def _sentences(missing: Mapping[str, Mapping[str, list[str]]], seen: Collection[str]) -> list[str]:
    """Who has no point, where (unless that is everywhere) and why; those of whom the same is to be said together."""
    groups: dict[str, list[str]] = {}
    for label, reasons in missing.items():
        for reason, places in reasons.items():
            where = _several(list(filter(None, places))) if label in seen else ""
            groups.setdefault(f"{where}: {reason}", []).append(label)
    return [f"{', '.join(labels)}{rest}" for rest, labels in groups.items()]


def _several(places: list[str], most: int = 3) -> str:
    more = f" and {len(places) - most} more" if len(places) > most else ""
    return f" at {', '.join(places[:most])}{more}" if places else ""


def _varied(run: Run) -> dict[str, list[Any]]:
    """The axes on which cells differ, with their labels."""
    found: dict[str, list[Any]] = {}
    for cell in run.cells:
        for axis, label in (cell.get("vary") or {}).items():
            known = found.setdefault(axis, [])
            known += [label] if label is not None and label not in known else []
    return {axis: labels for axis, labels in found.items() if len(labels) > 1}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
