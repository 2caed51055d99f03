"""A metric over stored runs: a panel for every problem, a line for every contender, intervals as bars."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.ticker import FixedLocator, NullLocator

from harness.commands.trend import Series, Trend, commit, moment
from harness.figures import contents, save
from harness.figures.style import COLORS, DASHES, MARKERS, beside, few, headed, sheet, united
from harness.results import MetricValue
from harness.results.store import writing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = 3
SHIFT = 0.04
"""Distance of contenders at one run, so that intervals do not cover each other."""
TICKS = 12
"""Runs that are named below a panel."""


def write(found: Trend, folder: Path) -> Iterator[str]:
    """Write the figure into a folder; yield a line with its files."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in found.metric.label)
    yield save(folder / f"trend-{name}", contents(partial(drawn, found)))


def drawn(found: Trend) -> Figure:
    """Draw the trend."""
    problems: dict[str, list[Series]] = {}
    for series in found.rows:
        problems.setdefault(series.problem, []).append(series)
    looks = _looks(found)
    figure, panels = sheet(len(problems), ACROSS, 3.6, 3.0, named=list(looks))
    shifts = {name: SHIFT * (place - (len(looks) - 1) / 2) for place, name in enumerate(looks)}
    for axes, (title, rows) in zip(panels, problems.items(), strict=True):
        axes.set_title(title)
        for series in rows:
            _line(axes, series, looks[series.contender], shifts[series.contender])
        _named(axes, found)
    for axes in panels[::ACROSS]:
        axes.set_ylabel(united(found.metric))
    beside(figure)
    caption = [f"Means of {found.metric.label} with their 95 % intervals, run by run."]
    caption += few([f"{run}: {text}" for run, said in found.changed.items() for text in said], 4)
    return headed(figure, f"{found.runs[-1].suite}: {found.metric.label} over {len(found.runs)} runs", caption)


def _looks(found: Trend) -> dict[str, dict[str, Any]]:
    """Return the look of every contender, the same on every problem."""
    names = dict.fromkeys(series.contender for series in found.rows)
    return {
        name: {
            "color": COLORS[k % len(COLORS)],
            "marker": MARKERS[k % len(MARKERS)],
            "linestyle": DASHES[k // len(COLORS) % len(DASHES)],
        }
        for k, name in enumerate(names)
    }


def _line(axes: Axes, series: Series, look: dict[str, Any], shift: float) -> None:
    known: list[tuple[float, MetricValue]] = [
        (x + shift, value) for x, value in enumerate(series.values) if value is not None
    ]
    points = [(x, value.mean, value.low, value.high) for x, value in known if value.mean is not None]
    axes.plot([x for x, *_ in points], [mean for _, mean, _, _ in points], label=series.contender, **look)
    for x, _, low, high in points:
        if low is not None and high is not None:
            axes.vlines(x, low, high, color=look["color"], linewidth=1.0)


def _named(axes: Axes, found: Trend) -> None:
    """Name the runs below a panel: by commit, or by day and time."""
    count = len(found.runs)
    places = list(range(0, count, -(-count // TICKS)))
    axes.set_xlim(-0.5, count - 0.5)
    axes.xaxis.set_major_locator(FixedLocator(places))
    axes.xaxis.set_minor_locator(NullLocator())
    names = [commit(found.runs[place]) or moment(found.runs[place]) for place in places]
    axes.set_xticklabels(names, rotation=40, ha="right", rotation_mode="anchor", fontsize=7)
