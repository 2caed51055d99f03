"""Mean ranks of contenders over problems, and which of them Nemenyi's test does not tell apart (Demšar, 2006)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from matplotlib.ticker import MultipleLocator

from harness.figures.run import StoredRun
from harness.figures.style import FAINT, INK, LABEL, few, headed, plainly, row_height, sheet
from harness.report.words import counted
from harness.report.wrapping import wrapped
from harness.results import MetricInfo

if TYPE_CHECKING:
    import numpy
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PROBLEMS, CONTENDERS = 5, 3
"""Fewest problems and contenders of a diagram."""
LEVEL = 0.05


def figures(run: StoredRun) -> dict[str, Callable[[], Figure]]:
    """Return ranks-in-METRIC for every metric with a direction that enough contenders have on enough problems."""
    makers: dict[str, Callable[[], Figure]] = {}
    for metric in run.view.metrics:
        names, means, left = table(run, metric)
        if metric.higher_is_better is not None and len(names) >= CONTENDERS and len(means) >= PROBLEMS:
            makers[f"ranks-in-{metric.label}"] = partial(_figure, run, metric, names, means, left)
    return makers


def table(run: StoredRun, metric: MetricInfo) -> tuple[list[str], list[list[float]], list[str]]:
    """Return contenders, their means for each problem that has all of them, and the contenders left out.

    Left out are those that most problems lack, and controls.
    """
    found = []
    for problem in run.view.problems:
        entries = [entry for entry in problem.entries if not run.is_control(entry.row)]
        means = {entry.label: value.average for entry in entries if (value := entry.metric(metric.label))}
        found.append({label: mean for label, mean in means.items() if mean is not None})
    labels = dict.fromkeys(entry.label for entry in run.view.entries if not run.is_control(entry.row))
    names = [label for label in labels if 2 * sum(label in means for means in found) > len(found)]
    rows = [[means[name] for name in names] for means in found if all(name in means for name in names)]
    return names, rows, [label for label in labels if label not in names]


def mean_ranks(means: Sequence[Sequence[float]], higher_is_better: bool) -> numpy.ndarray:
    """Return the mean rank [k] of each column of means [n, k]; 1 is the best, and equal means share their ranks."""
    import numpy
    from scipy.stats import rankdata

    ranks = rankdata(numpy.asarray(means) * (-1 if higher_is_better else 1), axis=1)
    return numpy.asarray(ranks.mean(0))


def critical_difference(contenders: int, problems: int, level: float = LEVEL) -> float:
    """Return the difference of two mean ranks from which Nemenyi's test tells them apart."""
    from scipy.stats import studentized_range

    quantile = float(studentized_range.ppf(1 - level, contenders, math.inf)) / math.sqrt(2)
    return quantile * math.sqrt(contenders * (contenders + 1) / (6 * problems))


def cliques(ranks: Sequence[float], distance: float) -> list[tuple[int, int]]:
    """Return the first and the last place of every largest group of sorted ranks that all lie within a distance."""
    found: list[tuple[int, int]] = []
    for first, low in enumerate(ranks):
        last = max(place for place, rank in enumerate(ranks) if rank - low < distance)
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def _figure(
    run: StoredRun, metric: MetricInfo, names: Sequence[str], means: Sequence[Sequence[float]], left: Sequence[str]
) -> Figure:
    ranks = mean_ranks(means, bool(metric.higher_is_better))
    distance = critical_difference(len(names), len(means))
    order = sorted(range(len(names)), key=lambda k: float(ranks[k]))
    ordered = [float(ranks[k]) for k in order]
    joined = cliques(ordered, distance)
    half = -(-len(names) // 2)
    figure, (axes,) = sheet(1, 1, 7.0, row_height(names) * (half + _top(joined) + 1.6))
    _draw(axes, [names[k] for k in order], ordered, joined, distance)
    title = f"{metric.label}: mean rank over {counted(len(means), 'problem')}"
    return headed(figure, title, _caption(run, left, len(run.view.problems) - len(means)))


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


def _caption(run: StoredRun, left: Sequence[str], lost: int) -> Iterator[str]:
    yield (
        "Rank 1 is the best mean of a problem. Thick bars join contenders that Nemenyi's test at 5 % over problems "
        "does not tell apart."
    )
    if lost:
        yield f"{counted(lost, 'problem')} not counted: a contender has no number there."
    yield from few([f"Not drawn: {name}, which most problems lack" for name in left], 4)
    if run.run.run:
        yield f"{run.run.suite}, run {run.run.run}"
