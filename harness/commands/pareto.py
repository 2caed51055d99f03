"""Quality against speed: two runs combined into one, in which the Pareto front of each problem is best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.analysis.pairing import competing, full_name, problems
from harness.errors import BenchError
from harness.report.answer import PARETO
from harness.report.parts import level
from harness.report.view import axes_of
from harness.results import Issue, IssueKind, Json, MetricInfo, Rank, Row, Run, Status


def pareto(quality: Run, speed: Run) -> Run:
    """Combine the contenders of both runs with the first metric of each, on every pair of their problems.

    Contenders are the same where all kinds that both runs have are the same components, those that compete in
    `speed` among them, and so are all settings that both have, varied or fixed (see `_settings`). Rows are best on the
    front, beaten where another is significantly better in one metric and no worse in the other, tied in between; rows
    without a partner are an issue. Raises BenchError if nothing is joined, or a metric of one has no direction.
    """
    metrics = (quality.primary, speed.primary)
    for metric, run in zip(metrics, (quality, speed), strict=True):
        if metric.higher_is_better is None:
            raise BenchError(f"{run.run}: {metric.label} comes first, but neither direction is better")
    rows = tuple(row for group in _groups(quality, speed) for row in _ranked(group, metrics))
    if not rows:
        raise _nothing(quality, speed)
    return Run(
        suite=f"{quality.suite} and {speed.suite}",
        question="Which contenders are on the Pareto front of quality and speed?",
        run=f"{quality.run} + {speed.run}",
        protocol=PARETO,
        environment=quality.environment,
        interval=quality.interval,
        metrics=metrics,
        axes=axes_of(row.vary for row in rows),
        contenders=tuple(competing(speed)),
        cells=rows,
        notices=(*quality.notices, *speed.notices, *_alone(quality, speed)),
    )


def _groups(quality: Run, speed: Run) -> Iterator[list[Row]]:
    """Yield the rows of every pair of problems."""
    axes = competing(speed)
    for theirs in problems(quality, quality.cells).values():
        for ours in problems(speed, speed.cells).values():
            pairs = [(quality.cells[i], speed.cells[k]) for i in theirs for k in ours]
            yield [_joined(axes, *pair) for pair in pairs if _same(axes, *pair)]


def _same(axes: Sequence[str], one: Row, other: Row) -> bool:
    """Return whether two measured rows share all components that both have, at the same settings.

    `axes` are those that compete in the run of `other`.
    """
    return _same_parts(axes, one, other) and not _differing(one, other)


def _same_parts(axes: Sequence[str], one: Row, other: Row) -> bool:
    known = [axis for axis in axes if axis in other.parameters]
    kinds = {*known, *(one.parameters.keys() & other.parameters.keys())}
    alike = all(one.parameters.get(kind) == other.parameters[kind] for kind in kinds)
    return bool(known) and alike and one.status is other.status is Status.OK


SIZES = frozenset({"batch", "device"})
"""Settings that say how much is measured at once, and where: not those of a method, but where both runs vary them."""


def _differing(one: Row, other: Row) -> list[str]:
    """Return the names of settings that both rows have, with different values."""
    kinds = {*one.parameters, *other.parameters}
    mine, theirs = _settings(one), _settings(other)
    apart = SIZES - (one.vary.keys() & other.vary.keys() - {"device"})
    shared = [name for name in mine if name in theirs and name not in kinds | apart]
    return [name for name in shared if mine[name] != theirs[name]]


def _settings(row: Row) -> dict[str, Json]:
    """Return the settings of a row, varied or fixed. Steps that follow from `nfe` are not those of the settings."""
    found = {**row.settings, **row.vary}
    return {**found, "steps": None} if found.get("nfe") is not None else found


def _alone(quality: Run, speed: Run) -> Iterator[Issue]:
    """Yield an issue for each run with measured rows that have no partner in the other."""
    axes = competing(speed)
    pairs = [(one, other) for one in quality.cells for other in speed.cells if _same(axes, one, other)]
    joined = {id(row) for pair in pairs for row in pair}
    for run, other_run in ((speed, quality), (quality, speed)):
        alone = [row for row in run.cells if row.status is Status.OK and id(row) not in joined]
        if alone:
            names = tuple(full_name(run, row.vary) for row in alone)
            yield Issue(IssueKind.NO_PARTNER, rows=names, name=run.run, before=other_run.run)


def _nothing(quality: Run, speed: Run) -> BenchError:
    """Return the error where no rows can be joined: it names the settings that differ, with their values."""
    axes = competing(speed)
    pairs = [(one, other) for one in quality.cells for other in speed.cells if _same_parts(axes, one, other)]
    names = dict.fromkeys(name for pair in pairs for name in _differing(*pair))
    if not names:
        return BenchError(f"no contender is measured in both {quality.run} and {speed.run}")
    said = [
        f"{name} ({_values(name, [o for _, o in pairs])} and {_values(name, [o for o, _ in pairs])})" for name in names
    ]
    return BenchError(f"no contender has the same settings in {speed.run} and {quality.run}: {', '.join(said)}")


def _values(name: str, rows: Sequence[Row]) -> str:
    return ", ".join(map(str, dict.fromkeys(str(_settings(row).get(name)) for row in rows)))


def _joined(axes: Sequence[str], one: Row, other: Row) -> Row:
    """Return a row with the metrics of both, without remarks about only one."""
    vary = {**other.vary, **one.vary} | {axis: other.vary[axis] for axis in axes}
    return Row(
        id=one.id,
        vary=vary,
        parameters=one.parameters,
        settings=one.settings,
        peak_memory=one.peak_memory,
        seeds=one.seeds,
        metrics={**one.metrics, **other.metrics},
    )


def _ranked(group: Sequence[Row], metrics: Sequence[MetricInfo]) -> Iterator[Row]:
    """Yield the rows that have both metrics, with their ranks."""
    whole = [row for row in group if all(_ends(row, metric) for metric in metrics)]
    for row in whole:
        others = [other for other in whole if other is not row]
        rank = Rank.BEST
        if any(_beats(other, row, metrics, surely=True) for other in others):
            rank = Rank.BEATEN
        elif any(_beats(other, row, metrics, surely=False) for other in others):
            rank = Rank.TIED
        yield replace(row, best={metric.label: rank for metric in metrics})


def _ends(row: Row, metric: MetricInfo) -> tuple[float, float, float] | None:
    """Return (worst, mean, best) of the interval, larger is better; the mean three times if there is no interval."""
    found = row.metrics.get(metric.label)
    if found is None or found.mean is None:
        return None
    sign = 1 if metric.higher_is_better else -1
    mean = sign * found.mean
    ends = [sign * end for end in (found.low, found.high) if end is not None] or [mean]
    return min(ends), mean, max(ends)


def _beats(one: Row, other: Row, metrics: Sequence[MetricInfo], surely: bool) -> bool:
    """Return whether one is no worse in any metric and better in some; `surely`: with disjoint intervals there.

    Means that are equal to rounding are equal.
    """
    pairs = [(_ends(one, metric), _ends(other, metric)) for metric in metrics if not level((one, other), metric.label)]
    ends = [(mine, theirs) for mine, theirs in pairs if mine and theirs]
    if any(mine[1] < theirs[1] for mine, theirs in ends):
        return False
    return any(mine[0] > theirs[2] if surely else mine[1] > theirs[1] for mine, theirs in ends)
