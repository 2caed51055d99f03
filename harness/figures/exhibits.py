"""What was kept of every contender on a problem, and how figures of it are named, titled and captioned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.errors import BenchError
from harness.figures.run import Run
from harness.figures.style import few
from harness.report.parts import Problem, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Contender:
    """One contender and what was kept of it: arrays by name."""

    row: Row
    arrays: Arrays


@dataclass(frozen=True)
class Exhibit:
    """The contenders of one problem, and a sentence for each of which nothing is there to be drawn."""

    title: str
    contenders: list[Contender]
    missing: list[str]


def shown(
    run: Run, kind: str, name: str, fits: Callable[[Arrays], bool], draw: Callable[[Exhibit], Figure]
) -> dict[str, Callable[[], Figure]]:
    """NAME-PROBLEM for every problem that has what fits; NAME alone, which says why, where nothing at all is kept.

    Runs without a component of the kind have no such figure.
    """
    found: dict[str, Callable[[], Figure]] = {}
    reasons: list[str] = []
    for problem in run.view.problems if run.has(kind) else ():
        exhibit = gathered(run, problem)
        kept = [each for each in exhibit.contenders if fits(each.arrays)]
        if kept:
            found[f"{name}-{problem.title}"] = partial(draw, Exhibit(problem.title, kept, exhibit.missing))
        elif not exhibit.contenders:
            reasons += exhibit.missing
    return found or ({name: partial(_nothing, reasons[0])} if reasons else {})


def _nothing(reason: str) -> Figure:
    raise BenchError(reason)


def gathered(run: Run, problem: Problem) -> Exhibit:
    """What was kept of a problem's contenders."""
    contenders, missing = [], []
    for row in problem.rows:
        try:
            contenders.append(Contender(row, run.exhibit(row.cell)))
        except BenchError as error:
            missing.append(f"{row.label}: {error.what}")
    return Exhibit(problem.title, contenders, missing)


def titled(axes: Axes, run: Run, contender: Contender) -> None:
    """The contender's name, and below it what the primary metric says of it."""
    lines = [contender.row.label]
    entry = contender.row.metric(run.view.primary)
    if entry.get("mean") is not None:
        lines.append(f"{run.view.primary} {entry['mean']:.3g}".replace("-", "−"))
    axes.set_title("\n".join(lines), fontsize=7.5)


def captioned(run: Run, found: Exhibit) -> Iterator[str]:
    """Who is not there, and which run this is."""
    yield from few([f"Not drawn: {sentence}" for sentence in found.missing])
    if run.data.get("run"):
        yield f"Numbers are means of all seeds. {run.data.get('suite')}, run {run.data['run']}"
