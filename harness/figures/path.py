"""Paths of samples in the plane: from noise, through every evaluation of the network, to the sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from harness.figures.exhibits import Arrays, Exhibit, captioned, shown, titled
from harness.figures.run import StoredRun
from harness.figures.style import COLORS, FAINT, INK, headed, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BELOW = (6.0, 3.0, 1.0)
"""Contour levels of the density, in nats below the maximum."""
LINES = 16
"""Number of paths drawn: more cannot be followed by eye."""
SHADES = ("#eeeeee", "#dcdcdc", "#c4c4c4")


def figures(run: StoredRun) -> Mapping[str, Callable[[], Figure]]:
    """Return path-PROBLEM, for every problem in the plane."""
    return shown(run, "sampler", "path", lambda arrays: "path" in arrays, partial(_path, run))


def _path(run: StoredRun, found: Exhibit) -> Figure:
    """Draw a panel for every contender."""
    figure, panels = sheet(len(found.contenders), 4, 2.5, 2.8)
    known = False
    for axes, contender in zip(panels, found.contenders, strict=True):
        known |= _target(axes, contender.arrays)
        outside = _drawn(axes, contender.arrays)
        titled(axes, run, contender)
        if outside:
            axes.text(0.99, 0.01, f"{outside} outside", transform=axes.transAxes, ha="right", fontsize=7.5)
    count = found.contenders[0].arrays["path"].shape[1]
    target = f"{', '.join(f'{depth:g}' for depth in BELOW)} nats below its densest point"
    caption = [
        f"{count} samples of seed 0, the same noise for every contender: hollow x_T, solid the sample. Lines: the "
        f"paths of the first {min(LINES, count)} through every point where the network was asked; where it was never "
        "asked, samples only.",
        f"Shades: the target's density, {target}." if known else "Gray: real data.",
    ]
    return headed(figure, f"Paths to samples of {found.title}", [*caption, *captioned(run, found)])


def _target(axes: Axes, arrays: Arrays) -> bool:
    """Draw the density in shades if it is known, else real points; return whether it is known."""
    if "density" not in arrays:
        if "real" in arrays:
            axes.plot(*arrays["real"].T, ".", color="#bbbbbb", markersize=1.5, zorder=0)
        return False
    density = arrays["density"]
    peak = density[np.isfinite(density)].max()
    levels = [*(peak - depth for depth in BELOW), peak + 1]
    left, right, bottom, top = arrays["extent"]
    xs, ys = np.linspace(left, right, density.shape[1]), np.linspace(bottom, top, density.shape[0])
    axes.contourf(xs, ys, np.nan_to_num(density, neginf=-1e30), levels=levels, colors=SHADES, zorder=0)
    return True


def _drawn(axes: Axes, arrays: Arrays) -> int:
    """Draw one line for each sample; return how many samples lie outside the panel."""
    path = arrays["path"]
    if len(path) > 1:
        axes.plot(path[:, :LINES, 0], path[:, :LINES, 1], color=COLORS[0], linewidth=0.6, alpha=0.7)
        axes.plot(*path[0].T, "o", markerfacecolor="white", markeredgecolor=FAINT, markeredgewidth=0.5, markersize=2.5)
    axes.plot(*path[-1].T, "o", color=COLORS[1], markeredgecolor=INK, markeredgewidth=0.3, markersize=3, zorder=3)
    axes.set_aspect("equal")
    axes.tick_params(labelsize=7)
    if "extent" not in arrays:
        return 0
    left, right, bottom, top = arrays["extent"]
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    x, y = path[-1].T
    return int(((x < left) | (x > right) | (y < bottom) | (y > top)).sum())
