"""A run arranged for readers: problems, each with its contenders, the baseline first."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence

from harness.analysis.pairing import competing, naming, problems, text
from harness.errors import BenchError, near_miss
from harness.report.parts import COLUMNS, Arrangement, Entry, Problem, View
from harness.results import IntervalKind, Label, Labels, MetricInfo, MetricValue, Published, Row, Run

AS_IT_IS = Arrangement()
ONLY = "(only one)"
"""Label of a row if no axis distinguishes rows."""


def view(given: Run, arrangement: Arrangement = AS_IT_IS) -> View:
    """Group the rows of a run by problem, in the order of the rows or as asked for; name them as the answer does.

    Raises BenchError for a metric or a column that the run does not have.
    """
    run = whole(given)
    _check(arrangement, run)
    rows, places = naming(run)
    inner = competing(run)
    outer = [axis for axis in run.axes if axis not in inner]
    titles = [axis for axis in outer if len(run.axes[axis]) > 1] or outer
    sources = list(dict.fromkeys(map(_source, run.published)))
    found = []
    for members in problems(run, run.cells).values():
        first = run.cells[members[0]].vary
        known = [number for number in run.published if number.metric in {metric.label for metric in run.metrics}]
        here = [number for number in known if _same(number.vary, first, outer)]
        entries = _sorted(_entries(run, members, rows, places), arrangement.sort, run)
        found.append(Problem(text(first, titles), entries, _published(here, run, rows, sources)))
    rest = [axis for axis in run.axes if axis not in titles + rows]
    same = tuple(filter(None, [text(row.vary, [axis]) for row in run.cells[:1] for axis in rest]))
    return View(run, tuple(found), tuple(rows), same, tuple(sources), arrangement)


def _check(arrangement: Arrangement, run: Run) -> None:
    names = [metric.label for metric in run.metrics]
    if arrangement.sort is not None and arrangement.sort not in names:
        raise BenchError(f"--sort: the run has no metric {arrangement.sort!r}{near_miss(arrangement.sort, names)}")
    for name in arrangement.columns:
        if name not in (*names, *COLUMNS):
            most = len(names) + len(COLUMNS)
            raise BenchError(f"--columns: the run has no column {name!r}{near_miss(name, (*names, *COLUMNS), most)}")


def _sorted(entries: tuple[Entry, ...], name: str | None, run: Run) -> tuple[Entry, ...]:
    """Sort rows by their mean in a metric, the best first, or else the smallest; rows without a mean come last."""
    if name is None:
        return entries
    sign = -1 if run.metric(name).higher_is_better else 1

    def key(entry: Entry) -> tuple[bool, float]:
        found = entry.metric(name)
        mean = None if found is None else found.average
        return mean is None, sign * (mean or 0.0)

    return tuple(sorted(entries, key=key))


def whole(run: Run) -> Run:
    """Return the run with every axis and metric that its rows have; without named contenders all axes compete."""
    axes = dict(run.axes)
    for axis, labels in axes_of(row.vary for row in run.cells).items():
        known = axes.get(axis, [])
        axes[axis] = [*known, *(label for label in labels if label not in known)]
    metrics = {metric.label: metric for metric in run.metrics}
    for row in run.cells:
        for name, value in row.metrics.items():
            metrics.setdefault(name, MetricInfo(label=name, higher_is_better=value.higher_is_better, unit=value.unit))
    return dataclasses.replace(
        run, axes=axes, metrics=tuple(metrics.values()), contenders=run.contenders or tuple(axes)
    )


def axes_of(places: Iterable[Labels]) -> dict[str, list[Label]]:
    """Return the axes of some rows with their labels, both in order of occurrence."""
    axes: dict[str, list[Label]] = {}
    for vary in places:
        for axis, label in vary.items():
            known = axes.setdefault(axis, [])
            known += [label] if label is not None and label not in known else []
    return axes


def _entries(run: Run, members: Sequence[int], axes: Sequence[str], places: Sequence[str]) -> tuple[Entry, ...]:
    names = {comparison.baseline for row in run.cells for comparison in row.against.values()}
    entries = []
    for number in members:
        row = run.cells[number]
        label = text(row.vary, axes)
        baseline = not row.against and _is_baseline(label, row.vary, run.baseline, names)
        entries.append(Entry(row, label or ONLY, text(row.vary, places), baseline, number))
    return tuple(_ordered(entries))


def _ordered(entries: Sequence[Entry]) -> list[Entry]:
    """Sort every baseline above the rows that are compared with it; rows without a comparison come last."""
    places = {entry.label: place for place, entry in enumerate(entry for entry in entries if entry.baseline)}
    if len(places) < 2:
        return sorted(entries, key=lambda entry: not entry.baseline)
    return sorted(entries, key=lambda each: (places.get(each.compared or each.label, len(places)), not each.baseline))


def _published(
    numbers: Sequence[Published], run: Run, axes: Sequence[str], sources: Sequence[str]
) -> tuple[Entry, ...]:
    """Return an entry for every contender of every paper, with a number for every metric of the paper."""
    found: dict[tuple[str, int], dict[str, MetricValue]] = {}
    for number in numbers:
        key = (text(number.vary, axes) or ONLY, sources.index(_source(number)) + 1)
        info = run.metric(number.metric)
        found.setdefault(key, {})[number.metric] = MetricValue(
            values=(),
            mean=number.value,
            low=None,
            high=None,
            interval=IntervalKind.SEEDS,
            higher_is_better=info.higher_is_better,
            unit=info.unit,
        )
    rows = {key: Row(id="", vary={}, metrics=metrics) for key, metrics in found.items()}
    return tuple(Entry(row, label, source=source) for (label, source), row in rows.items())


def _source(number: Published) -> str:
    return f"{number.source} ({number.note})" if number.note else number.source


def _same(vary: Labels, other: Labels, axes: Sequence[str]) -> bool:
    return all(str(vary.get(axis)) == str(other.get(axis)) for axis in axes)


def _is_baseline(label: str, vary: Labels, baseline: str | Labels | None, names: Collection[str]) -> bool:
    if isinstance(baseline, Mapping) and baseline:
        return label in names or all(str(vary.get(axis)) == str(value) for axis, value in baseline.items())
    return label in names or (baseline is not None and baseline in [label, *vary.values()])
