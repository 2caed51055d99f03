"""Remarks that a good colleague would make on a finished run: each names the rows concerned and something to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from statistics import fmean

from harness.analysis import partners
from harness.analysis.pairing import problems
from harness.fields import Json
from harness.results import Issue, IssueKind, MeasuredRow, RunInfo, Status
from harness.results.codec import typed
from harness.results.values import Label
from harness.run.task import Task
from harness.suite import Suite

LEAST = 3
"""Seeds from which it is odd that all have one value."""


def remarks(suite: Suite, tasks: Sequence[Task], rows: Sequence[MeasuredRow], info: RunInfo) -> list[Issue]:
    """Return every remark on the measured rows of a run."""
    found = [*edges(suite, rows), *said(tasks), *no_better_than_majority(tasks, rows, info)]
    return found if info.replicates == "blocks" else [*found, *unvaried(rows, info)]


def edges(suite: Suite, rows: Iterable[MeasuredRow]) -> Iterator[Issue]:
    """Yield an issue if tuning chose the first or last number tried of a field: a better one may lie outside."""
    if suite.tune is None:
        return
    tried: dict[str, Sequence[Json]] = {"lr": suite.tune.lr, **suite.tune.fields}
    found: dict[tuple[str, float], list[str]] = {}
    for row in rows:
        for name, value in row.tuned.items():
            numbers = [x for x in tried.get(name, ()) if isinstance(x, (int, float)) and not isinstance(x, bool)]
            if len(numbers) > 1 and isinstance(value, (int, float)) and value in (min(numbers), max(numbers)):
                found.setdefault((name, float(value)), []).append(_name(row.vary))
    for (name, value), names in sorted(found.items()):
        side = "smallest" if value == min(x for x in tried[name] if isinstance(x, (int, float))) else "largest"
        yield Issue(IssueKind.TUNING_EDGE, rows=tuple(names), name=name, side=side, value=value)


def said(tasks: Iterable[Task]) -> list[Issue]:
    """Return the issues that protocols noted while they measured, each with the rows concerned."""
    found: dict[Issue, list[str]] = {}
    for task in tasks:
        each = [typed(Issue, issue) for record in task.records for issue in record.get("issues", ())]
        for issue in dict.fromkeys(each):
            found.setdefault(issue, []).append(_name(task.cell["vary"]))
    return [replace(issue, rows=tuple(names)) for issue, names in found.items()]


def no_better_than_majority(tasks: Sequence[Task], rows: Sequence[MeasuredRow], info: RunInfo) -> Iterator[Issue]:
    """Yield an issue for each problem whose baseline, else best row, does not beat the most frequent class."""
    links = partners(info, rows)
    for members in problems(info, rows).values():
        known = {index: both for index in members if (both := _against_majority(tasks[index])) is not None}
        if not known:
            continue
        baseline = links[members[0]].index if links is not None else None
        index = baseline if baseline in known else max(known, key=lambda i: known[i][0])
        right, majority = known[index]
        if right <= majority:
            yield Issue(IssueKind.NO_BETTER_THAN_MAJORITY, rows=(_name(rows[index].vary),), value=right, bound=majority)


def _against_majority(task: Task) -> tuple[float, float] | None:
    """Return the mean accuracy of a row and of the most frequent class of its test parts; None if unknown."""
    kept = [record["auxiliary"] for record in task.records if "majority" in record.get("auxiliary", {})]
    right, majority = (
        [x for each in kept for x in each[name] or () if x is not None] for name in ("right", "majority")
    )
    return (fmean(right), fmean(majority)) if right and majority else None


def unvaried(rows: Sequence[MeasuredRow], info: RunInfo) -> Iterator[Issue]:
    """Yield an issue if the first metric has one value in every seed of a row, or in every row of a problem."""
    metric, alone = info.primary, []
    for members in problems(info, rows).values():
        values = {i: numbers for i in members if (numbers := _numbers(rows[i], metric.label))}
        several = {x for numbers in values.values() for x in numbers}
        if len(values) > 1 and len(several) == 1:
            names = tuple(_name(rows[i].vary) for i in values)
            yield Issue(IssueKind.ONE_VALUE, rows=names, metric=metric.label, value=several.pop())
        elif len(several) > 1:
            alone += [_name(rows[i].vary) for i, numbers in values.items() if len(set(numbers)) == 1]
    if alone:
        yield Issue(IssueKind.SAME_SEEDS, rows=tuple(alone), metric=metric.label)


def _numbers(row: MeasuredRow, label: str) -> list[float]:
    """Return a row's values, if there are some and all are finite."""
    values = row.values.get(label, ())
    numbers = [x for x in values if isinstance(x, (int, float))]
    return numbers if row.status is Status.OK and len(numbers) == len(values) >= LEAST else []


def _name(vary: dict[str, Label]) -> str:
    return " / ".join(str(label) for label in vary.values() if label is not None)
