"""Whole runs on one screen: problems and contenders in the first metric, and several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.report import overall
from harness.report.html.names import clean, hint, short
from harness.report.html.tables import ARROWS
from harness.report.number_format import MISSING, Estimate, decimals, estimate, number, unit_for
from harness.report.parts import Entry, View, ranked
from harness.results import MetricInfo, Rank, Verdict


@dataclass(frozen=True)
class Place:
    """Number of a row in the matrix, which is a link to the row."""

    text: str = ""
    link: str = ""
    exact: str = ""
    rank: Rank | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Head:
    """Heading of a row or column, a link where it has an own table."""

    name: str
    hint: str = ""
    link: str = ""


@dataclass(frozen=True)
class Matrix:
    """Rows of numbers in one metric; `corner` heads the names of the rows."""

    metric: str
    arrow: str
    corner: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Head, tuple[Place, ...]], ...]
    is_pooled: bool = False

    @property
    def is_compared(self) -> bool:
        """Whether any row was compared with a baseline."""
        return any(place.verdict for _, line in self.rows for place in line)


def matrix(view: View, prefix: str) -> Matrix | None:
    """Return the numbers of a run in its first metric, the longer of both axes downwards; None for one problem."""
    if len(view.problems) < 2 or not view.metrics:
        return None
    metric = view.metrics[0]
    size, unit = _unit(metric, view.entries)
    columns = []
    for problem in view.problems:
        found = _places(problem.entries, metric, size, prefix)
        columns.append({entry.label: place for entry, place in zip(problem.entries, found, strict=True)})
    labels = list(dict.fromkeys(entry.label for entry in view.entries))
    contenders = [Head(short(label), hint(label)) for label in labels]
    names = [each.title for each in view.problems]
    problems = [Head(short(name), hint(name), f"{prefix}p{place}") for place, name in enumerate(names)]
    grid = [[column.get(label, Place(MISSING)) for column in columns] for label in labels]
    turned = len(problems) > len(contenders)
    added, places = _closing(view, metric, size, labels, turned)
    grid = [[*line, *more] for line, more in zip(grid, places, strict=True)]
    problems += added
    heads, rows, corner = problems, contenders, " / ".join(view.row_axes)
    if turned:
        heads, rows, corner = contenders, problems, "problem"
        grid = [list(line) for line in zip(*grid, strict=True)]
    lines = tuple((head, tuple(line)) for head, line in zip(rows, grid, strict=True))
    pooled = bool(added)
    return Matrix(_named(metric, unit), ARROWS[metric.higher_is_better], short(corner), tuple(heads), lines, pooled)


def _closing(
    view: View, metric: MetricInfo, size: float, labels: Sequence[str], turned: bool
) -> tuple[list[Head], list[list[Place]]]:
    """Return the headings and the places of every contender over all problems; nothing where nothing is known.

    Where problems are rows, the ends of the interval have rows of their own.
    """
    found = overall.cells(view.run, metric, size, labels)
    middles = [each.middle + ("" if turned else each.interval) for each in found]
    parts = {
        "all problems, pooled": [Place(text, verdict=one.verdict) for text, one in zip(middles, found, strict=True)],
        "from": [Place(one.low if turned else "") for one in found],
        "to": [Place(one.high if turned else "") for one in found],
        "mean rank": [Place(one.rank) for one in found],
    }
    kept = {name: places for name, places in parts.items() if any(place.text for place in places)}
    return [Head(name) for name in kept], [[places[k] for places in kept.values()] for k in range(len(labels))]


def beside(views: Sequence[View], prefixes: Sequence[str]) -> list[Matrix]:
    """Return rows of several runs side by side, a matrix for every first metric that at least two of them have."""
    found = []
    for metric in {view.primary: view.metrics[0] for view in views if view.metrics}.values():
        having = [
            (view, prefix)
            for view, prefix in zip(views, prefixes, strict=True)
            if any(entry.metric(metric.label) for entry in view.entries)
        ]
        if len(having) > 1:
            found.append(_runs(metric, having))
    return found


def _runs(metric: MetricInfo, having: Sequence[tuple[View, str]]) -> Matrix:
    size, unit = _unit(metric, [entry for view, _ in having for entry in view.entries])
    columns = [_by_name(view, metric, size, prefix) for view, prefix in having]
    names = list(dict.fromkeys(name for column in columns for name in column))
    heads = tuple(Head(short(view.run.run), hint(view.run.run), f"{prefix}top") for view, prefix in having)
    lines = [tuple(column.get(name, Place(MISSING)) for column in columns) for name in names]
    rows = tuple((Head(short(name), hint(name)), line) for name, line in zip(names, lines, strict=True))
    return Matrix(_named(metric, unit), ARROWS[metric.higher_is_better], "row", heads, rows)


def _by_name(view: View, metric: MetricInfo, size: float, prefix: str) -> dict[str, Place]:
    """Return the places of a run by contender and problem."""
    found: dict[str, Place] = {}
    for problem in view.problems:
        places = _places(problem.entries, metric, size, prefix)
        found |= {_whole_name(entry): place for entry, place in zip(problem.entries, places, strict=True)}
    return found


def _whole_name(entry: Entry) -> str:
    return f"{entry.label} on {entry.place}" if entry.place else entry.label


def _named(metric: MetricInfo, unit: str) -> str:
    return short(metric.label) + (f" [{clean(unit)}]" if unit else "")


def _unit(metric: MetricInfo, entries: Sequence[Entry]) -> tuple[float, str]:
    return unit_for([item for entry in entries if (item := estimate(entry.metric(metric.label)))], metric.unit)


def _places(entries: Sequence[Entry], metric: MetricInfo, size: float, prefix: str) -> list[Place]:
    """Return the means of a problem's rows, with digits that its intervals justify."""
    items = [estimate(entry.metric(metric.label)) for entry in entries]
    digits = decimals([item.divided(size) for item in items if item])
    race = ranked(entries, metric.label)
    places = []
    for entry, item in zip(entries, items, strict=True):
        found = entry.against(metric.label)
        text = _number(item, size, digits) if item else str(entry.row.status) if entry.ended else MISSING
        rank = entry.best(metric.label) if race else None
        exact = f"{item.mean:.6g} {metric.unit or ''}".strip().replace("-", "−") if item else ""
        places.append(Place(text, f"{prefix}{entry.number}", exact, rank, found.verdict if found else None))
    return places


def _number(item: Estimate, size: float, digits: int) -> str:
    return number(item.mean / size, digits)
