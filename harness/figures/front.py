"""Quality against cost: a point for every contender with its intervals, and the line of the Pareto front."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import BenchError
from harness.figures.against import ARROWS
from harness.figures.run import StoredRun
from harness.figures.style import COLORS, FAINT, MARKERS, beside, headed, logarithmic, scale, sheet, ticked, united
from harness.report.answer import PARETO
from harness.report.costs import NFE
from harness.report.number_format import Estimate, estimate
from harness.report.parts import Entry, Problem
from harness.report.words import singular
from harness.results import MetricInfo, Rank

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = 3
Looks = Mapping[str, tuple[str, str]]


WIDE = 4
"""Quotient of the ends of a cost beyond which its axis is logarithmic."""


class Point(NamedTuple):
    """A contender with its cost and its quality."""

    entry: Entry
    cost: Estimate
    quality: Estimate


@dataclass(frozen=True)
class Cost:
    """A cost of every row: its name at an axis, a remark for the caption, and its number."""

    name: str
    remark: str
    of: Callable[[Entry], Estimate | None]


@dataclass(frozen=True)
class Front:
    """A metric and a cost; `tested` means that rows are best in a problem where they are on the front."""

    metric: MetricInfo
    cost: Cost
    tested: bool

    def point(self, entry: Entry) -> Point | None:
        """Return the point of a contender; None if it has no finite cost or no finite quality."""
        cost, quality = self.cost.of(entry), estimate(entry.metric(self.metric.label))
        known = cost and quality and math.isfinite(cost.mean) and math.isfinite(quality.mean)
        return Point(entry, cost, quality) if cost and quality and known else None

    def has(self, point: Point, others: Sequence[Point]) -> bool:
        """Return whether a point is on the front: no other is better in one mean and as good in the other."""
        if self.tested:
            return point.entry.best(self.metric.label) is Rank.BEST
        own = self._means(point)
        return not any(
            self._means(other) != own and min(map(float.__sub__, own, self._means(other))) >= 0 for other in others
        )

    def _means(self, point: Point) -> tuple[float, float]:
        """Return cost and quality, both as numbers of which smaller is better."""
        return point.cost.mean, -point.quality.mean if self.metric.higher_is_better else point.quality.mean


def figures(run: StoredRun) -> dict[str, Callable[[], Figure]]:
    """Return QUALITY-against-SPEED for a result of `harness.commands.pareto`, else METRIC-against-cost.

    The latter is of the primary metric, if it has a direction and is no time itself, and rows have different costs.
    """
    if run.run.protocol == PARETO:
        quality, speed = run.view.metrics[:2]
        measured = Cost(united(speed), "", lambda entry: estimate(entry.metric(speed.label)))
        return {
            f"{quality.label}-against-{speed.label}": partial(_front, run, Front(quality, measured, True), speed.label)
        }
    for metric in run.view.metrics[:1]:
        cost = _cost(run)
        if cost and metric.higher_is_better is not None and metric.relative_margin is None:
            return {f"{metric.label}-against-cost": partial(_front, run, Front(metric, cost, False), "cost")}
    return {}


def _cost(run: StoredRun) -> Cost | None:
    """Return network evaluations if they differ within a problem, else the time of a seed; None if neither is known."""
    unit = singular(run.run.replicates)
    spent = Cost(
        f"seconds for a {unit}", "Times are those of this run, with all that ran beside it: no benchmark.", _time
    )
    used = Cost("network evaluations for a sample", "", _evaluations)
    for cost in (used, spent):
        known = [[cost.of(entry) for entry in problem.entries if entry.measured] for problem in run.view.problems]
        if (
            any(known)
            and all(map(all, known))
            and any(len({each.mean for each in costs if each}) > 1 for costs in known)
        ):
            return cost
    return None


def _time(entry: Entry) -> Estimate | None:
    row = entry.row
    return Estimate(row.seconds / len(row.seeds)) if row.seconds and row.seeds else None


def _evaluations(entry: Entry) -> Estimate | None:
    used = (entry.row.used or {}).get(NFE)
    return Estimate(used) if used else None


def _front(run: StoredRun, front: Front, against: str) -> Figure:
    name, problems = front.metric.label, [each for each in run.view.problems if any(map(front.point, each.entries))]
    if not problems:
        raise BenchError(f"no row has a finite {name}")
    looks = _looks(run, [entry for problem in problems for entry in problem.entries if front.point(entry)])
    figure, panels = sheet(len(problems), ACROSS, 3.4, 2.9, named=list(looks))
    notes = [_drawn(axes, run, problem, front, looks) for axes, problem in zip(panels, problems, strict=True)]
    for axes in panels:
        axes.set_xlabel(front.cost.name)
    for axes in panels[::ACROSS]:
        axes.set_ylabel(united(front.metric))
    beside(figure)
    arrow = ARROWS.get(front.metric.higher_is_better, "")
    better = "in both" if front.tested else "in both means"
    caption = [f"Bars are 95 % intervals; the line joins those that no other beats {better}.", front.cost.remark]
    caption += ["Gray: controls."] if any(color == FAINT for color, _ in looks.values()) else []
    caption += [*dict.fromkeys(notes), run.run.run]
    return headed(figure, f"{name} against {against}" + (f"   {arrow}" if arrow else ""), filter(None, caption))


def _looks(run: StoredRun, entries: Sequence[Entry]) -> Looks:
    """Return the color and the marker of every contender, the same in all panels; controls are gray."""
    names = {entry.label: run.is_control(entry.row) for entry in entries}
    looks = zip(names.items(), itertools.cycle(COLORS), itertools.cycle(MARKERS), strict=False)
    return {name: (FAINT if control else color, marker) for (name, control), color, marker in looks}


def _drawn(axes: Axes, run: StoredRun, problem: Problem, front: Front, looks: Looks) -> str:
    """Draw a problem; return a remark on the vertical axis for the caption."""
    axes.set_title(problem.title)
    found = [point for entry in problem.entries if (point := front.point(entry)) is not None]
    for entry, x, y in found:
        color, marker = looks[entry.label]
        axes.errorbar([x.mean], [y.mean], _bar(y), _bar(x), fmt=marker, color=color, label=entry.label, elinewidth=1.0)
    costs = [x.mean for _, x, _ in found]
    if min(costs) > 0 and max(costs) > WIDE * min(costs):
        logarithmic(axes, (min(costs), max(costs)))
    else:
        ticked(axes.xaxis)
    rivals = [point for point in found if not run.is_control(point.entry.row)]
    best = sorted((point.cost.mean, point.quality.mean) for point in rivals if front.has(point, rivals))
    axes.plot([x for x, _ in best], [y for _, y in best], color=FAINT, linewidth=0.8, zorder=0.5)
    return scale(axes, [y.mean for _, _, y in found], [y.mean if y.low is None else y.low for _, _, y in found])


def _bar(item: Estimate) -> list[list[float]] | None:
    """Return how far an interval reaches to both sides of its mean."""
    if item.low is None or item.high is None:
        return None
    return [[max(0.0, item.mean - item.low)], [max(0.0, item.high - item.mean)]]
