"""Histogram of N_k: for every contender, how many points are among the nearest of so many others."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FixedLocator
from numpy.typing import NDArray

from harness.figures.exhibits import Exhibit, captioned, shown, titled
from harness.figures.run import StoredRun
from harness.figures.style import COLORS, FAINT, headed, plainly, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS, GROWTH = 4, 0.15
"""Number of panels side by side; width of a column as a share of its counts, once that is more than one count."""


def figures(run: StoredRun) -> Mapping[str, Callable[[], Figure]]:
    """Return occurrences-PROBLEM, for every problem with stored counts."""
    return shown(run, "dissimilarity", "occurrences", lambda arrays: "counts" in arrays, partial(_occurrences, run))


def _occurrences(run: StoredRun, found: Exhibit) -> Figure:
    """Draw a panel for every contender, all on the same axes."""
    counts = [contender.arrays["counts"] for contender in found.contenders]
    n, k = len(counts[0]), round(float(counts[0].mean()))
    edges = columns(int(max(each.max() for each in counts)))
    figure, panels = sheet(len(counts), ACROSS, 2.5, 2.3)
    for axes, contender in zip(panels, found.contenders, strict=True):
        _drawn(axes, contender.arrays["counts"], edges, k)
        titled(axes, run, contender)
        axes.set_ylim(0.5 / np.diff(edges).max(), n)
    for axes in panels[::ACROSS]:
        axes.set_ylabel("points")
    caption = (
        f"Of the {n:,} points of seed 0: how many are among the {k} nearest of so many others. A column wider than one "
        f"count shows the mean of its counts. Dashed: {k}, the mean of all points whatever the contender; linear up to "
        "there, logarithmic beyond."
    )
    return headed(figure, f"N{k}, whose neighbor a point is, of {found.title}", [caption, *captioned(run, found)])


def _drawn(axes: Axes, counts: NDArray[Any], edges: NDArray[np.float64], k: int) -> None:
    axes.stairs(np.histogram(counts, edges)[0] / np.diff(edges), edges, fill=True, color=COLORS[0])
    axes.axvline(k, color=FAINT, linewidth=0.8, linestyle="dashed")
    axes.set_xscale("symlog", linthresh=k)
    axes.set_yscale("log")
    plainly(axes.xaxis, axes.yaxis)
    axes.xaxis.set_major_locator(FixedLocator([0, k, *(10.0**power for power in range(_above(2 * k), 9))]))
    axes.set_xlim(-0.5, edges[-1])
    axes.set_xlabel(f"N{k}, {counts.max():,.0f} at most")


def _above(value: float) -> int:
    return math.ceil(math.log10(value))


def columns(most: int) -> NDArray[np.float64]:
    """Return edges between whole numbers, from below 0 to above `most`: one column per count, then wider ones."""
    edges = [-0.5]
    while edges[-1] < most:
        edges.append(edges[-1] + max(1, int(GROWTH * edges[-1])))
    return np.array(edges)
