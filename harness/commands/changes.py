"""Differences between two stored runs other than their numbers: facts to know before a change is believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.analysis.pairing import full_name
from harness.results import Issue, IssueKind, Json, MetricInfo, Row, Run, Status

Pair = tuple[Row, Row]
"""A row of the earlier run and the matching row of the later."""


def changes(before: Run, after: Run, pairs: Sequence[Pair]) -> list[Issue]:
    """Return an issue for every difference: environment, versions, digests of plugins, code of rows, rows, metrics."""
    return [
        *surroundings(before, after),
        *_code(after, pairs),
        *_times(after),
        *_alone(before, [one for one, _ in pairs], "before"),
        *_alone(after, [row for _, row in pairs], "after"),
        *_metrics(before, after, "before"),
        *_metrics(after, before, "after"),
    ]


def surroundings(before: Run, after: Run) -> Iterator[Issue]:
    """Yield changes of machine, versions, threads, digests of plugins and version of the protocol."""
    old, new = (dict(_facts("", _surrounding(each))) for each in (before, after))
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            yield Issue(IssueKind.CHANGED, name=name, before=_text(old.get(name)), after=_text(new.get(name)))


def _surrounding(run: Run) -> dict[str, Json]:
    return {**run.environment, f"version of {run.protocol}": run.protocol_version}


def _facts(name: str, value: Json) -> Iterator[tuple[str, Json]]:
    """Yield (dotted name, value) of everything in nested mappings."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _facts(f"{name}.{key}" if name else key, inner)
    else:
        yield name, value


def _text(value: Json) -> str | None:
    return None if value is None else str(value)


def _code(after: Run, pairs: Sequence[Pair]) -> Iterator[Issue]:
    other = [row for one, row in pairs if one.id != row.id]
    if other and after.environment:  # an imported run has none: its ids say what was measured, not by which code
        yield Issue(IssueKind.OTHER_CODE, rows=_names(after, other))
    same = [row for one, row in pairs if one.metrics == row.metrics and row.status is Status.OK]
    if same:
        yield Issue(IssueKind.SAME_NUMBERS, rows=_names(after, same))


def is_time(metric: MetricInfo) -> bool:
    """Return whether a metric varies with time: in seconds, or compared by ratio within the blocks of one run."""
    return metric.unit == "s" or metric.relative_margin is not None


def _times(after: Run) -> Iterator[Issue]:
    for metric in filter(is_time, after.metrics):
        yield Issue(IssueKind.TIMES_OF_TWO_RUNS, metric=metric.label)


def _alone(run: Run, common: Sequence[Row], side: str) -> Iterator[Issue]:
    places: list[Mapping[str, object]] = [row.vary for row in common]
    alone = [row for row in run.cells if row.vary not in places]
    if alone:
        yield Issue(IssueKind.ONLY_IN_ONE, rows=_names(run, alone), side=side)


def _metrics(run: Run, other: Run, side: str) -> Iterator[Issue]:
    known = {metric.label for metric in other.metrics}
    for metric in run.metrics:
        if metric.label not in known:
            yield Issue(IssueKind.METRIC_IN_ONE, metric=metric.label, side=side)


def _names(run: Run, rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(full_name(run, row.vary) for row in rows)
