"""Every value of a metric behind its mean and interval: a panel for each problem, a line for each contender."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from harness.errors import BenchError
from harness.figures.against import ARROWS
from harness.figures.run import StoredRun
from harness.figures.style import COLORS, INK, few, headed, logarithmic, row_sheet, ticked, united
from harness.report.number_format import estimate
from harness.report.parts import Problem
from harness.report.prose import SOURCES
from harness.report.words import singular
from harness.results import IntervalKind, MetricInfo

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE = 10
"""Quotient of values compared by ratio beyond which their axis is logarithmic."""
LANES = 7
"""Heights at which the points of a row lie, in turn, so that equal values are seen."""
THICK = 0.5
"""Height of a row's points, in rows."""


def figures(run: StoredRun) -> dict[str, Callable[[], Figure]]:
    """Return METRIC-by-seed (or by-block) for every metric with several different values in a row."""
    unit = singular(run.run.replicates)
    return {
        f"{metric.label}-by-{unit}": partial(_figure, run, metric, unit)
        for metric in run.view.metrics
        if any(len(set(found)) > 1 for each in run.view.problems for found in values(each, metric).values())
    }


def values(problem: Problem, metric: MetricInfo) -> dict[str, list[float]]:
    """Return the finite values of every contender that has any, by its label."""
    found = {entry.label: entry.metric(metric.label) for entry in problem.entries}
    numbers = {label: [v for v in each.values if v is not None] for label, each in found.items() if each}
    return {label: known for label, known in numbers.items() if known}


def _figure(run: StoredRun, metric: MetricInfo, unit: str) -> Figure:
    problems = [problem for problem in run.view.problems if values(problem, metric)]
    if not problems:
        raise BenchError(f"{metric.label} has no value")
    names = list(dict.fromkeys(label for problem in problems for label in values(problem, metric)))
    figure, panels = row_sheet(len(problems), names)
    for axes, problem in zip(panels, problems, strict=True):
        _drawn(axes, problem, metric, names)
    arrow = ARROWS.get(metric.higher_is_better, "")
    title = f"{united(metric)} by {unit}" + (f"   {arrow}" if arrow else "")
    return headed(figure, title, _caption(run, metric, unit))


def _drawn(axes: Axes, problem: Problem, metric: MetricInfo, names: Sequence[str]) -> None:
    axes.set_title(problem.title)
    for entry in problem.entries:
        numbers, found = values(problem, metric).get(entry.label, []), estimate(entry.metric(metric.label))
        height = names.index(entry.label) if numbers else 0
        lanes = [height + THICK * ((place % LANES) / (LANES - 1) - 0.5) for place in range(len(numbers))]
        axes.plot(
            numbers, lanes, linestyle="none", marker=".", markersize=4, markeredgewidth=0, color=COLORS[5], zorder=1
        )
        if found is not None and numbers:
            if found.low is not None and found.high is not None:
                axes.hlines(height, found.low, found.high, color=INK, linewidth=1.4, zorder=2)
            axes.plot([found.mean], [height], "D", color=INK, markersize=3.5, zorder=2)
    known = [value for found in values(problem, metric).values() for value in found]
    if metric.relative_margin is not None and max(known) > WIDE * min(known) > 0:
        logarithmic(axes, (min(known), max(known)))
    else:
        ticked(axes.xaxis)


def _caption(run: StoredRun, metric: MetricInfo, unit: str) -> Iterator[str]:
    found = [value for entry in run.view.entries if (value := entry.metric(metric.label)) is not None]
    kinds = sorted({value.interval for value in found if value.low is not None})
    sources = {**SOURCES, IntervalKind.SEEDS: run.run.replicates}
    over = f", bars their 95 % intervals over {' or '.join(sources[kind] for kind in kinds)}" if kinds else ""
    yield f"A point is the value of a {unit}; diamonds are means{over}."
    lost = [entry for entry in run.view.entries if (each := entry.metric(metric.label)) is None or each.mean is None]
    yield from few([f"Not drawn: {entry.label}{f' on {entry.place}' if entry.place else ''}" for entry in lost])
    if run.run.run:
        yield f"{run.run.suite}, run {run.run.run}"
