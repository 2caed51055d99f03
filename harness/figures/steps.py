"""Cost of every step of a sampler: a metric along the times, one line for each contender."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.figures.exhibits import Arrays, Exhibit, captioned, shown
from harness.figures.run import StoredRun
from harness.figures.style import COLORS, DASHES, beside, headed, scale, sheet, united

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CURVE = "curve "


def figures(run: StoredRun) -> Mapping[str, Callable[[], Figure]]:
    """Return METRIC-by-step-PROBLEM, for every metric with a value at every step."""
    found: dict[str, Callable[[], Figure]] = {}
    for name in run.view.names:
        made = shown(run, "sampler", f"{name}-by-step", partial(_has, name), partial(_steps, run, name))
        found |= made if any(has.startswith(f"{name}-by-step-") for has in made) else {}
    return found


def _has(name: str, arrays: Arrays) -> bool:
    return f"{CURVE}{name}" in arrays


def _steps(run: StoredRun, name: str, found: Exhibit) -> Figure:
    """Draw a line for each contender over the time at which a step starts."""
    figure, (axes,) = sheet(1, 1, 5.2, 3.6, named=[contender.entry.label for contender in found.contenders])
    values = []
    for k, contender in enumerate(found.contenders):
        times, losses = contender.arrays[f"{CURVE}{name}"]
        around, color = divmod(k, len(COLORS))
        look: dict[str, Any] = {"color": COLORS[color], "linestyle": DASHES[around % len(DASHES)]}
        axes.plot(times, losses, label=contender.entry.label, linewidth=1.2, marker=".", markersize=3, **look)
        values += losses[np.isfinite(losses)].tolist()
    note = scale(axes, values, values)
    axes.set_xlabel("time at which the step starts")
    axes.set_ylabel(united(run.view.run.metric(name)))
    beside(figure)
    caption = [f"{name} of seed 0, step by step, from noise at the right to data at the left.", note]
    return headed(figure, f"{name} by step on {found.title}", [*filter(None, caption), *captioned(run, found)])
