"""`bench trend`: one metric of every row over stored runs of a suite, in the order of the runs."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from harness.analysis.pairing import full_name, naming, text
from harness.commands.against import HERE, REVISION
from harness.commands.changes import is_time, surroundings
from harness.commands.runs import SHORT, STAMP
from harness.errors import BenchError, near_miss
from harness.report.glyphs import Glyphs
from harness.report.layout import Column, Label, Line, Sheet, plan
from harness.report.number_format import MISSING, Estimate, estimate, estimates, unit_for
from harness.report.words import counted, issue
from harness.results import MetricInfo, MetricValue, Row, Run, runs

SHOWN = 8
"""Runs that have a column, the last ones; the line has all of them."""
CHANGES = 6
"""Changes of the environment that are shown, the last ones."""
BARS = "▁▂▃▄▅▆▇█"
PLAIN = "12345678"
UNRELATED = ("commit", "dirty", "harness_commit", "doctor")
"""Parts of the environment that change between runs as a matter of course."""


@dataclass(frozen=True)
class Series:
    """One row of the suite: its name, its problem, and its values in every run, None in those without any."""

    name: str
    contender: str
    problem: str
    values: tuple[MetricValue | None, ...]


@dataclass(frozen=True)
class Trend:
    """A metric over runs of a suite, the earliest first; `changed` says what else changed before a run."""

    metric: MetricInfo
    runs: tuple[Run, ...]
    rows: tuple[Series, ...]
    changed: Mapping[str, Sequence[str]]


def stored_trend(results: Path, names: Sequence[str], metric: str | None = None) -> Trend:
    """Return the trend of stored runs, each named as other commands take it. Raises BenchError as `trend` does."""
    return trend([runs.stored(results, name) for name in names], metric)


def trend(found: Sequence[Run], metric: str | None = None) -> Trend:
    """Return the trend of runs in a metric, by default the first one of the last run.

    Raises BenchError for runs of several suites, and for a metric that none has.
    """
    ordered = tuple(sorted({run.run: _own(run) for run in found}.values(), key=lambda run: run.run))
    for run in ordered[:-1]:
        if (run.suite, run.protocol) != (ordered[-1].suite, ordered[-1].protocol):
            what = [f"{each.suite} ({each.protocol}) in {each.run}" for each in (run, ordered[-1])]
            raise BenchError(f"a trend is of one suite: {', '.join(what)}")
    known = {each.label: each for run in ordered for each in run.metrics}
    if metric is not None and metric not in known:
        raise BenchError(f"no metric {metric!r} in these runs{near_miss(metric, known)}")
    if not ordered[-1].metrics:
        raise BenchError(f"{ordered[-1].run} has no metric")
    info = known[metric] if metric is not None else ordered[-1].primary
    return Trend(info, ordered, tuple(_series(ordered, info.label)), dict(_changes(ordered)))


def _own(run: Run) -> Run:
    """Return a run without the rows of another code that it was measured beside."""
    if REVISION not in run.axes:
        return run
    rows = [row for row in run.cells if row.vary.get(REVISION) == HERE]
    plain = [replace(row, vary={axis: label for axis, label in row.vary.items() if axis != REVISION}) for row in rows]
    axes = {axis: labels for axis, labels in run.axes.items() if axis != REVISION}
    return replace(run, cells=tuple(plain), axes=axes)


def _series(ordered: Sequence[Run], metric: str) -> Iterator[Series]:
    """Yield every row, those of the last run first; rows are the same where their labels on all axes are."""
    found: dict[str, list[MetricValue | None]] = {}
    about: dict[str, tuple[Run, Row]] = {}
    for run in reversed(ordered):
        for row in run.cells:
            about.setdefault(json.dumps(row.vary, sort_keys=True), (run, row))
    for run in ordered:
        here = {json.dumps(row.vary, sort_keys=True): row for row in run.cells}
        for key in about:
            found.setdefault(key, []).append(here[key].metrics.get(metric) if key in here else None)
    for key, (run, row) in about.items():
        inner, outer = naming(run)
        name = full_name(run, row.vary) or run.suite
        yield Series(name, text(row.vary, inner) or name, text(row.vary, outer), tuple(found[key]))


def _changes(ordered: Sequence[Run]) -> Iterator[tuple[str, list[str]]]:
    for before, after in pairwise(ordered):
        code = "plugins." if commit(before) != commit(after) else " "  # which a commit changes as a matter of course
        found = [each for each in surroundings(before, after) if each.name not in UNRELATED]
        if said := [issue(each) for each in found if not str(each.name).startswith(code)]:
            yield after.run, said


def lines(found: Trend, width: int, ink: Glyphs) -> Iterator[str]:
    """Yield the runs, the table, and what else has changed."""
    arrow = {True: ", ↑ higher is better", False: ", ↓ lower is better", None: ""}[found.metric.higher_is_better]
    yield ink(f"{found.runs[-1].suite}: {found.metric.label}{arrow}")
    yield ""
    for number, run in enumerate(found.runs, 1):
        yield f"{number:>3}  {ink(commit(run) or MISSING):<{SHORT + 1}}  {ink(run.run)}"
    sheet = _sheet(found, ink)
    widths = [column.width for column in sheet.columns]
    how = plan(sheet.longest, widths, sheet.primary, width)
    for page in range(len(how.pages)):
        yield ""
        yield from (_plain(line) for line in sheet.lines(how, page, width, ink))
    yield ""
    for sentence in _closing(found):
        yield from textwrap.wrap(ink(sentence), width, subsequent_indent="  ", break_on_hyphens=False)


def _closing(found: Trend) -> Iterator[str]:
    """Yield what the table shows, and what else has changed."""
    yield "mean with its 95 % interval; the line is scaled to each row's own intervals"
    if is_time(found.metric):
        yield "times of several runs show a trend and prove nothing: the machine may have changed"
    else:
        yield "`bench compare RUN RUN` tests a difference"
    changed = [f"changed before {after}: {each}" for after, said in found.changed.items() for each in said]
    yield from changed[-CHANGES:]
    if len(changed) > CHANGES:
        yield f"and {counted(len(changed) - CHANGES, 'change')} before earlier runs"


def _plain(line: Line) -> str:
    return "".join(part for part, _ in line).rstrip()


def commit(run: Run) -> str:
    """Return a run's commit in short, with a star where files had changed since; empty without one."""
    found = run.environment.get("commit")
    return f"{found[:SHORT]}{'*' if run.environment.get('dirty') else ''}" if isinstance(found, str) else ""


def moment(run: Run) -> str:
    """Return the day and time of a run from its id: `11-30 15:12`; its id where that has none."""
    found = STAMP.match(run.run)
    if not found:
        return run.run
    stamp = found[0]
    return f"{stamp[4:6]}-{stamp[6:8]} {stamp[9:11]}:{stamp[11:13]}"


def _sheet(found: Trend, ink: Glyphs) -> Sheet:
    """Arrange the rows: a line over all runs, then the values of the last ones."""
    items = [estimate(value) for series in found.rows for value in series.values]
    size, unit = unit_for([item for item in items if item], found.metric.unit)
    texts = [ink(text) for text in estimates([item and item.divided(size) for item in items])]
    count, start = len(found.runs), max(0, len(found.runs) - SHOWN)
    columns = [Column("trend", tuple([(sparkline(series.values, ink), "")] for series in found.rows))]
    for place in range(start, count):
        head = f"{place + 1}: {commit(found.runs[place]) or moment(found.runs[place])}"
        cells = tuple([(texts[number * count + place], "")] for number in range(len(found.rows)))
        columns.append(Column(ink(head), cells, right=True))
    corner = f"[{unit}]" if unit else ""
    return Sheet(ink(corner), tuple(Label(ink(series.name)) for series in found.rows), tuple(columns), 1)


def sparkline(values: Sequence[MetricValue | None], ink: Glyphs) -> str:
    """Return a bar for every value, between the ends of all intervals of the row; a space where there is none."""
    found = [_finite(estimate(value)) for value in values]
    ends = [end for each in found if each for end in (each.low, each.mean, each.high) if end is not None]
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    bars = PLAIN if ink.plain else BARS
    shares = [0.5 if each is None or high == low else (each.mean - low) / (high - low) for each in found]
    places = (round(share * (len(bars) - 1)) for share in shares)
    return "".join(bars[place] if each else " " for each, place in zip(found, places, strict=True))


def _finite(found: Estimate | None) -> Estimate | None:
    return found if found is not None and math.isfinite(found.mean) else None
