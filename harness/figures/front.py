"""Quality against speed: a point for every contender with both intervals, and the line of the Pareto front."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from harness.figures.run import StoredRun
from harness.figures.style import COLORS, FAINT, MARKERS, headed, sheet, united
from harness.report.answer import PARETO
from harness.report.number_format import estimate
from harness.results import Rank

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harness.report.parts import Problem

ACROSS = 3


def figures(run: StoredRun) -> dict[str, Callable[[], Figure]]:
    """Return QUALITY-against-SPEED for a result of `harness.commands.pareto`; no figure for any other."""
    names = run.view.names[:2]
    return {f"{names[0]}-against-{names[1]}": partial(_front, run)} if run.run.protocol == PARETO else {}


def _front(run: StoredRun) -> Figure:
    quality, speed = run.view.metrics[:2]
    figure, panels = sheet(len(run.view.problems), ACROSS, 3.4, 2.9, aside=2.2)
    for axes, problem in zip(panels, run.view.problems, strict=True):
        _drawn(axes, problem, quality.label, speed.label)
        axes.set_xlabel(united(speed))
    for axes in panels[::ACROSS]:
        axes.set_ylabel(united(quality))
    handles = {text: handle for axes in panels for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside right center")
    caption = ["Bars are 95 % intervals; the line joins those that no other beats in both.", run.run.run]
    return headed(figure, f"{quality.label} against {speed.label}", caption)


def _drawn(axes: Axes, problem: Problem, quality: str, speed: str) -> None:
    axes.set_title(problem.title)
    axes.set_xscale("log")
    looks = zip(itertools.cycle(COLORS), itertools.cycle(MARKERS), strict=False)
    front = []
    for entry, (color, marker) in zip(problem.entries, looks, strict=False):
        x, y = estimate(entry.metric(speed)), estimate(entry.metric(quality))
        if x is None or y is None:
            continue
        x_bar, y_bar = ([[e.half], [e.half]] if e.half else None for e in (x, y))
        axes.errorbar([x.mean], [y.mean], y_bar, x_bar, fmt=marker, color=color, label=entry.label)
        front += [(x.mean, y.mean)] if entry.best(quality) is Rank.BEST else []
    axes.plot(*zip(*sorted(front), strict=True), color=FAINT, linewidth=0.8, zorder=0)
