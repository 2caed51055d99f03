"""Quality against speed: a point for every contender with both intervals, and the line of those that nobody beats."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from harness.figures.run import Run
from harness.figures.style import COLOURS, FAINT, MARKERS, headed, sheet
from harness.report.digits import estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harness.report.parts import Problem

ACROSS = 3


def figures(run: Run) -> dict[str, Callable[[], Figure]]:
    """QUALITY-against-SPEED of a result that `harness.history.pareto` made; none of any other."""
    names = run.view.names[:2]
    return {f"{names[0]}-against-{names[1]}": partial(_front, run)} if run.data.get("protocol") == "pareto" else {}


def _front(run: Run) -> Figure:
    quality, speed = run.view.metrics[:2]
    figure, panels = sheet(len(run.view.problems), ACROSS, 3.4, 2.9, aside=2.2)
    for axes, problem in zip(panels, run.view.problems, strict=True):
        _drawn(axes, problem, quality["label"], speed["label"])
        axes.set_xlabel(f"{speed['label']} [{speed['unit']}]" if speed.get("unit") else speed["label"])
    for axes in panels[::ACROSS]:
        axes.set_ylabel(f"{quality['label']} [{quality['unit']}]" if quality.get("unit") else quality["label"])
    handles = {text: handle for axes in panels for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside right upper")
    caption = ["Bars are 95 % intervals; the line joins those whom nobody beats in both.", str(run.data["run"])]
    return headed(figure, f"{quality['label']} against {speed['label']}", caption)


def _drawn(axes: Axes, problem: Problem, quality: str, speed: str) -> None:
    axes.set_title(problem.title)
    axes.set_xscale("log")
    looks = zip(itertools.cycle(COLOURS), itertools.cycle(MARKERS), strict=False)
    front = []
    for row, (colour, marker) in zip(problem.rows, looks, strict=False):
        x, y = estimate(row.metric(speed)), estimate(row.metric(quality))
        if x is None or y is None:
            continue
        x_bar, y_bar = ([[e.half], [e.half]] if e.half else None for e in (x, y))
        axes.errorbar([x.mean], [y.mean], y_bar, x_bar, fmt=marker, color=colour, label=row.label)
        front += [(x.mean, y.mean)] if row.best(quality) == "best" else []
    axes.plot(*zip(*sorted(front), strict=True), color=FAINT, linewidth=0.8, zorder=0)
