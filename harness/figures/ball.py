"""Volume of the ball relative to the cube around it: why points in many dimensions are rarely near their center."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.ticker import MaxNLocator

from harness.errors import BenchError
from harness.figures.exhibits import gathered
from harness.figures.run import StoredRun
from harness.figures.style import COLORS, INK, MARKERS, beside, few, headed, plainly, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 20
"""Largest dimension of the curve; beyond it no feasible number of points has one inside."""

CURVE = "a ball in its cube"


class Place(NamedTuple):
    """The points of a problem: their dimension, their number, and the share of them inside the ball."""

    title: str
    dimensions: int
    points: int
    inside: float


def figures(run: StoredRun) -> Mapping[str, Callable[[], Figure]]:
    """Return ball-over-cube, for a run that searches neighbors."""
    return {"ball-over-cube": partial(_ball, run)} if run.has("dissimilarity") else {}


def log_share(d: int) -> float:
    """Return log10 of the ball's share of a cube in d dimensions, pi^(d / 2) / Gamma(d / 2 + 1) / 2^d."""
    return (d / 2 * math.log(math.pi) - math.lgamma(d / 2 + 1) - d * math.log(2)) / math.log(10)


def _ball(run: StoredRun) -> Figure:
    """Draw the curve, and the measured points that have any inside."""
    places = list(_places(run))
    if not places:
        raise BenchError("no points are kept that lie in any number of dimensions")
    figure, (axes,) = sheet(1, 1, 4.4, 3.4, named=[CURVE, *(place.title for place in places)])
    ds = range(1, MOST + 1)
    axes.plot(ds, [10 ** log_share(d) for d in ds], color=INK, label=CURVE, zorder=1)
    drawn = [place for place in places if place.inside and place.dimensions <= MOST]
    for number, place in enumerate(drawn):
        color, marker = COLORS[number % len(COLORS)], MARKERS[number % len(MARKERS)]
        spot = [place.dimensions], [place.inside]
        axes.plot(*spot, linestyle="none", label=place.title, color=color, marker=marker)
    axes.set_yscale("log")
    plainly(axes.yaxis)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("dimensions")
    axes.set_ylabel("share inside")
    beside(figure)
    return headed(figure, "Volume of the ball over that of the cube", _caption(places, drawn))


def _caption(places: list[Place], drawn: list[Place]) -> Iterator[str]:
    yield (
        "Line: the share of a cube that the largest ball in it has. Markers: of the points of seed 0, the share in the "
        "ball of the smallest box around them, its sides taken as equally long."
    )
    yield from few([_absent(place) for place in places if place not in drawn])


def _absent(place: Place) -> str:
    inside = f"{round(place.inside * place.points):,} of {place.points:,} points are inside"
    share = f"a ball in {place.dimensions} dimensions has {_power(log_share(place.dimensions))} of its cube"
    return f"Not drawn: {place.title}, where {inside}; {share}"


def _power(log: float) -> str:
    """Format 10^log with one digit, also where it is too small for a float."""
    power = math.floor(log - math.log10(0.95))
    return f"{10 ** (log - power):.0f}e{power}".replace("-", "−")


def _places(run: StoredRun) -> Iterator[Place]:
    """Yield a problem's points, from the first contender that has them."""
    for problem in run.view.problems:
        arrays = next((each.arrays for each in gathered(run, problem).contenders if "inside" in each.arrays), None)
        if arrays is not None:
            yield Place(problem.title, int(arrays["dimensions"]), len(arrays["counts"]), float(arrays["inside"]))
