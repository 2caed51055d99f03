"""A metric against the numbers that a suite varies: steps, evaluations, classes, dimensions.

One line for each contender, one panel for each problem, one figure for each metric and axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from harness.errors import BenchError
from harness.figures.field_axes import opened
from harness.figures.run import StoredRun
from harness.figures.series import Line, Panel, Series, numeric, series
from harness.figures.style import COLORS, DASHES, FAINT, MARKERS, beside, few, headed, numbered, scale, sheet, united
from harness.report.prose import SOURCES
from harness.report.words import singular
from harness.results import IntervalKind, MetricInfo, Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = 3
Look = Mapping[str, Any]
ARROWS: Mapping[bool | None, str] = MappingProxyType({False: "↓ lower is better", True: "↑ higher is better"})


def figures(run: StoredRun) -> dict[str, Callable[[], Figure]]:
    """Return METRIC-against-AXIS, for every metric and every axis of numbers, including those inside components."""
    return {
        f"{metric.label}-against-{axis}": partial(_against, seen, metric, axis)
        for seen, axes in ((run, numeric(run)), opened(run))
        for axis in axes
        for metric in run.view.metrics
    }


def _against(run: StoredRun, metric: MetricInfo, axis: str) -> Figure:
    name = metric.label
    found = series(run, name, axis)
    values = sorted({point.x for point in found.points})
    if len(values) < 2:
        raise BenchError(f"{name} was measured at {f'one {axis} only' if values else f'no {axis} at all'}")
    looks = _looks(found)
    figure, panels = sheet(len(found.panels), ACROSS, 3.4, 2.9, named=list(looks))
    notes = list(dict.fromkeys(_drawn(*pair, looks, found, metric) for pair in zip(panels, found.panels, strict=True)))
    for axes in panels:
        numbered(axes, values)
        axes.set_xlabel(f"{axis}, as used" if any(axis in (row.used or {}) for row in run.rows) else axis)
    for axes in panels[::ACROSS]:
        axes.set_ylabel(united(metric))
    controls = {_key(line) for line in found.lines if line.is_control}
    beside(figure, lambda label: label in controls)
    arrow = ARROWS.get(metric.higher_is_better, "")
    title = f"{name} against {axis}" + (f"   {arrow}" if arrow else "")
    return headed(figure, title, [*filter(None, notes), *_caption(run, found, name)])


def _drawn(axes: Axes, panel: Panel, looks: Mapping[str, Look], found: Series, metric: MetricInfo) -> str:
    """Draw means joined by lines, intervals as bars; return a remark on the vertical axis for the caption."""
    axes.set_title(panel.title)
    for line in panel.lines.values():
        xs, means = [point.x for point in line.points], [point.mean for point in line.points]
        look = looks[_key(line)]
        axes.plot(xs, means, label=_key(line), **look)
        sure = [(p.x, p.low, p.high) for p in line.points if p.low is not None and p.high is not None]
        if sure:
            axes.vlines(*zip(*sure, strict=True), color=look["color"], linewidth=1.0)
    lows = [point.mean if point.low is None else min(point.low, point.mean) for point in found.points]
    said = scale(axes, [point.mean for point in found.points], lows)
    if metric.ideal is not None and axes.get_yscale() != "log":
        axes.axhline(metric.ideal, color=FAINT, linewidth=0.6, zorder=0)
    return said


def _key(line: Line) -> str:
    return (line.label or "measured") + (" (published)" if line.source else "")


def _looks(found: Series) -> dict[str, Look]:
    """Return the look of every contender: its own marker, the color of its first axis, the dashes of its other axes.

    Controls are gray, dashed and without markers; published numbers are hollow markers without a line.
    """
    looks: dict[str, Look] = {}
    colors: dict[str, int] = {}
    dashes: dict[str, int] = {}
    for line in found.lines:
        if _key(line) in looks:
            continue
        if line.is_control:
            number = sum(look["color"] == FAINT for look in looks.values())
            looks[_key(line)] = {"color": FAINT, "linestyle": DASHES[1 + number % (len(DASHES) - 1)], "zorder": 1.5}
            continue
        around, color = divmod(colors.setdefault(line.looks[0], len(colors)), len(COLORS))
        dash = around + dashes.setdefault(line.looks[1], len(dashes))
        look: dict[str, Any] = {"color": COLORS[color], "linestyle": DASHES[dash % len(DASHES)]}
        look |= {"marker": MARKERS[len(looks) % len(MARKERS)], "markeredgewidth": 0.0}
        hollow = {"linestyle": "none", "markerfacecolor": "white", "markeredgewidth": 1.0}
        looks[_key(line)] = look | (hollow if line.source else {})
    return looks


def _caption(run: StoredRun, found: Series, metric: str) -> Iterator[str]:
    values = [row.metrics[metric] for row in run.rows if metric in row.metrics]
    kinds = sorted({value.interval for value in values if value.low is not None})
    counts = sorted({len(row.seeds) for row in run.rows if row.status is Status.OK})
    count = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1])))) if counts else "no"
    sources = {**SOURCES, IntervalKind.SEEDS: run.run.replicates}
    bars = f"; bars are 95 % intervals over {' or '.join(sources[kind] for kind in kinds)}" if kinds else ""
    yield f"Means of {count} {singular(run.run.replicates) if counts == [1] else run.run.replicates}{bars}."
    if any(line.is_control for line in found.lines):
        yield "Gray and dashed: controls, which show what is left when nothing is wrong but chance."
    for source in dict.fromkeys(line.source for line in found.lines if line.source):
        yield f"Hollow: published, not measured here. {source}"
    yield from few([f"Not drawn: {sentence}" for sentence in found.missing])
    if run.run.run:
        device = run.run.environment.get("device")
        yield f"{run.run.suite}, run {run.run.run}" + (f", on {device}" if device else "")
