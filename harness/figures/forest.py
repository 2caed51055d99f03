"""Differences from the baseline with their intervals: a panel for each problem, a line for each contender."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness.figures.against import ARROWS
from harness.figures.run import StoredRun
from harness.figures.style import (
    COLORS,
    FAINT,
    INK,
    few,
    headed,
    logarithmic,
    row_sheet,
    ticked,
    united,
)
from harness.report.number_format import Estimate, estimate
from harness.report.parts import Entry, Problem
from harness.report.prose import SOURCES
from harness.report.words import reason
from harness.results import IntervalKind, MetricInfo, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE = 10
"""Quotient of the ends of an axis of ratios beyond which it is logarithmic."""
LOOKS: Mapping[Verdict | None, tuple[str, str, str]] = MappingProxyType(
    {
        Verdict.BETTER: ("^", COLORS[2], "▲"),
        Verdict.WORSE: ("v", COLORS[1], "▼"),
        Verdict.EQUIVALENT: ("s", INK, "■"),
        Verdict.IDENTICAL: ("D", INK, "◆"),
        Verdict.UNDECIDED: ("o", INK, "●"),
    }
)
"""Marker and color of a verdict, and the marker as text."""


def figures(run: StoredRun) -> dict[str, Callable[[], Figure]]:
    """Return differences-in-METRIC for every metric in which a row differs from its baseline."""
    return {
        f"differences-in-{metric.label}": partial(_forest, run, metric)
        for metric in run.view.metrics
        if any(_differs(entry, metric) for entry in run.view.entries)
    }


def _differs(entry: Entry, metric: MetricInfo) -> bool:
    known = _found(entry, metric) is not None and not entry.control(metric.label)
    return known and _verdict(entry, metric) is not Verdict.IDENTICAL


def _found(entry: Entry, metric: MetricInfo) -> Estimate | None:
    """Return the difference from the baseline, or for a metric that is compared by ratio the ratio."""
    against = entry.against(metric.label)
    return estimate(against.ratio if against and metric.relative_margin is not None else against)


def _forest(run: StoredRun, metric: MetricInfo) -> Figure:
    problems = [each for each in run.view.problems if any(_found(entry, metric) for entry in each.entries)]
    entries = [entry for problem in problems for entry in problem.entries]
    names = list(dict.fromkeys(entry.label for entry in entries if _found(entry, metric)))
    figure, panels = row_sheet(len(problems), names)
    for axes, problem in zip(panels, problems, strict=True):
        _drawn(axes, problem, metric, names)
    arrow = ARROWS.get(metric.higher_is_better, "")
    what = "ratio to" if metric.relative_margin is not None else "difference from"
    baselines = run.view.baselines
    name = metric.label if metric.relative_margin is not None else united(metric)  # a ratio has no unit
    title = f"{name}: {what} {baselines[0] if len(baselines) == 1 else 'the baseline'}"
    return headed(figure, title + (f"   {arrow}" if arrow else ""), _caption(run, metric))


def _drawn(axes: Axes, problem: Problem, metric: MetricInfo, names: Sequence[str]) -> None:
    """Draw an interval for each compared contender, the first of the report on top."""
    axes.set_title(problem.title)
    by_ratio = metric.relative_margin is not None
    drawn = [(entry, found) for entry in problem.entries if (found := _found(entry, metric)) is not None]
    for entry, found in drawn:
        height = names.index(entry.label)
        plain = ("d", FAINT, "") if entry.control(metric.label) else ("o", INK, "")
        marker, color, _ = LOOKS.get(_verdict(entry, metric), plain)
        if found.low is not None and found.high is not None:
            axes.hlines(height, found.low, found.high, color=color, linewidth=1.4)
        axes.plot([found.mean], [height], marker, color=color)
    axes.axvline(1 if by_ratio else 0, color=FAINT, linewidth=0.8, zorder=0.5)
    ends = [end for _, found in drawn for end in (1.0, found.mean, found.low, found.high) if end is not None]
    if by_ratio and max(ends) > WIDE * min(ends) > 0:
        logarithmic(axes, (min(ends), max(ends)))
    else:
        ticked(axes.xaxis)


def _verdict(entry: Entry, metric: MetricInfo) -> Verdict | None:
    against = entry.against(metric.label)
    return against.verdict if against else None


def _caption(run: StoredRun, metric: MetricInfo) -> Iterator[str]:
    compared = [found for entry in run.view.entries if (found := entry.against(metric.label)) is not None]
    kinds: list[IntervalKind] = sorted({found.interval for found in compared if found.interval is not None})
    sources = {**SOURCES, IntervalKind.SEEDS: run.run.replicates}
    over = f" over {' or '.join(sources[kind] for kind in kinds)}" if kinds else ""
    seen = {found.verdict for found in compared if found.difference is not None}
    signs = [f"{sign} {verdict}" for verdict, (_, _, sign) in LOOKS.items() if verdict in seen]
    signs += ["gray: a control"] if any(entry.control(metric.label) for entry in run.view.entries) else []
    yield f"Bars are 95 % intervals{over}. " + ", ".join(signs)
    lost = [entry for entry in run.view.entries if not entry.baseline and _found(entry, metric) is None]
    yield from few([f"Not drawn: {entry.label}{_why(entry, metric)}" for entry in lost])
    if run.run.run:
        yield f"{run.run.suite}, run {run.run.run}"


def _why(entry: Entry, metric: MetricInfo) -> str:
    against = entry.against(metric.label)
    why = against.why if against else entry.row.why
    place = f" on {entry.place}" if entry.place else ""
    return place + (f", {reason(why)}" if why else f", {entry.row.status}" if entry.ended else "")
