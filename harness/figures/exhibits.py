"""Stored arrays of the contenders of a problem, and titles and captions of their figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.errors import BenchError
from harness.figures.run import StoredRun
from harness.figures.style import few
from harness.report.parts import Entry, Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Contender:
    """One contender and its stored arrays by name."""

    entry: Entry
    arrays: Arrays


@dataclass(frozen=True)
class Exhibit:
    """The contenders of one problem, and a sentence for each one without arrays to draw."""

    title: str
    contenders: list[Contender]
    missing: list[str]


def shown(
    run: StoredRun, kind: str, name: str, fits: Callable[[Arrays], bool], draw: Callable[[Exhibit], Figure]
) -> dict[str, Callable[[], Figure]]:
    """Return NAME-PROBLEM for every problem with fitting arrays; NAME alone, with the reason, if nothing is stored.

    Returns no figure for runs without a component of the kind.
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


def gathered(run: StoredRun, problem: Problem) -> Exhibit:
    """Collect the stored arrays of a problem's contenders."""
    contenders, missing = [], []
    for entry in problem.entries:
        try:
            contenders.append(Contender(entry, run.figure_data(entry.row)))
        except BenchError as error:
            missing.append(f"{entry.label}: {error.what}")
    return Exhibit(problem.title, contenders, missing)


def titled(axes: Axes, run: StoredRun, contender: Contender) -> None:
    """Title a panel with the contender's name, and below it its value of the primary metric."""
    lines = [contender.entry.label]
    found = contender.entry.metric(run.view.primary)
    if found is not None and found.mean is not None:
        lines.append(f"{run.view.primary} {found.mean:.3g}".replace("-", "−"))
    axes.set_title("\n".join(lines), fontsize=7.5)


def captioned(run: StoredRun, found: Exhibit) -> Iterator[str]:
    """Yield the contenders that are not drawn, and the run."""
    yield from few([f"Not drawn: {sentence}" for sentence in found.missing])
    if run.run.run:
        yield f"Numbers are means of all seeds. {run.run.suite}, run {run.run.run}"
