"""Mean ranks of contenders over problems, and which of them Nemenyi's test does not tell apart (Demšar, 2006)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from matplotlib.ticker import MultipleLocator

from harness.figures.run import StoredRun
from harness.figures.style import FAINT, INK, LABEL, few, headed, plainly, row_height, sheet
from harness.report.words import counted
from harness.report.wrapping import wrapped
from harness.results import Overall

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PROBLEMS, CONTENDERS = 5, 3
"""Fewest problems and contenders of a diagram."""


def figures(run: StoredRun) -> dict[str, Callable[[], Figure]]:
    """Return ranks-in-METRIC for every metric that the run has ranks of enough contenders on enough problems for."""
    makers: dict[str, Callable[[], Figure]] = {}
    for found in run.run.overall:
        ranked = [each for each in found.standings if each.mean_rank is not None]
        if found.problems >= PROBLEMS and len(ranked) >= CONTENDERS and found.critical_difference is not None:
            makers[f"ranks-in-{found.metric}"] = partial(_figure, run, found)
    return makers


def cliques(ranks: Sequence[float], distance: float) -> list[tuple[int, int]]:
    """Return the first and the last place of every largest group of sorted ranks that all lie within a distance."""
    found: list[tuple[int, int]] = []
    for first, low in enumerate(ranks):
        last = max(place for place, rank in enumerate(ranks) if rank - low < distance)
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def _figure(run: StoredRun, found: Overall) -> Figure:
    pairs = sorted((each.mean_rank, each.row) for each in found.standings if each.mean_rank is not None)
    ranks, names, distance = [rank for rank, _ in pairs], [name for _, name in pairs], found.critical_difference or 0.0
    joined = cliques(ranks, distance)
    half = -(-len(names) // 2)
    figure, (axes,) = sheet(1, 1, 7.0, row_height(names) * (half + _top(joined) + 1.6))
    _draw(axes, names, ranks, joined, distance)
    title = f"{found.metric}: mean rank over {counted(found.problems, 'problem')}"
    left = [each.row for each in found.standings if each.mean_rank is None]
    return headed(figure, title, _caption(run, left))


def _draw(
    axes: Axes, names: Sequence[str], ranks: Sequence[float], joined: Sequence[tuple[int, int]], distance: float
) -> None:
    """Draw the ranks on an axis above, the best at the left; names at the nearer side, bars below the axis."""
    count, half = len(names), -(-len(names) // 2)
    top = _top(joined)
    for place, (name, rank) in enumerate(zip(names, ranks, strict=True)):
        is_left = place < half
        height = top + (place if is_left else count - 1 - place)
        side, end = ("right", 0.8) if is_left else ("left", count + 0.2)
        axes.plot([rank, rank, end], [0, height, height], color=FAINT, linewidth=0.8)
        axes.plot([rank], [0], "o", color=INK, clip_on=False)
        text = f"{chr(10).join(wrapped(name, LABEL))}"
        axes.annotate(
            f"{text}  {rank:.2f}" if is_left else f"{rank:.2f}  {text}", (end, height), (-4 if is_left else 4, 0),
            textcoords="offset points", ha=side, va="center", fontsize=8, annotation_clip=False,
        )  # fmt: skip
    for place, (first, last) in enumerate(joined):
        axes.hlines(0.5 + 0.45 * place, ranks[first], ranks[last], color=INK, linewidth=3)
    axes.hlines(-1.3, 1, 1 + distance, color=INK, linewidth=1.4, clip_on=False)
    axes.annotate(f"critical difference {distance:.2f}", (1 + distance, -1.3), (4, 0), textcoords="offset points",
                  va="center", fontsize=8, annotation_clip=False)  # fmt: skip
    axes.set_xlim(0.8, count + 0.2)
    axes.set_ylim(top + half - 0.5, -1.6)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_position(("data", 0))
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MultipleLocator(1 if count <= 12 else 2))
    axes.tick_params(axis="x", direction="in", pad=-14)
    plainly(axes.xaxis)


def _top(joined: Sequence[tuple[int, int]]) -> float:
    """Return the height of the first names, in rows below the axis."""
    return 0.9 + 0.45 * len(joined)


def _caption(run: StoredRun, left: Sequence[str]) -> Iterator[str]:
    yield (
        "Rank 1 is the best mean of a problem. Thick bars join contenders that Nemenyi's test at 5 % over problems "
        "does not tell apart."
    )
    yield from few([f"Not drawn: {name}, which lacks a number on a problem" for name in left], 4)
    if run.run.run:
        yield f"{run.run.suite}, run {run.run.run}"
