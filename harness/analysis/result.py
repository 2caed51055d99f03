"""A finished run: every row with its intervals, verdicts and ranks, then gates, claims and issues."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

from harness.analysis.asks import answered
from harness.analysis.claims import judged
from harness.analysis.controls import doubts
from harness.analysis.differences import Cells, originals
from harness.analysis.exit_status import is_lost
from harness.analysis.gates import outcomes
from harness.analysis.pairing import Partner, full_name, is_control, partners, problems
from harness.analysis.pooled import overall
from harness.analysis.ranks import ranks
from harness.analysis.samples import Measured, measured
from harness.analysis.selection import left_out, repeated
from harness.analysis.verdicts import Found, against, differences, finite
from harness.results import (
    Comparison,
    IntervalKind,
    Issue,
    IssueKind,
    MeasuredRow,
    MeasuredRun,
    MetricInfo,
    MetricValue,
    Rank,
    Reason,
    ReasonKind,
    Row,
    RowInfo,
    Run,
    RunInfo,
    Status,
)
from harness.statistics import ratios
from harness.statistics.paired import interval

INFO = tuple(each.name for each in dataclasses.fields(RunInfo))
ROW = tuple(each.name for each in dataclasses.fields(RowInfo))
FEW = 5
"""Number of seeds below which an issue says that there are few."""


def result(run: MeasuredRun) -> Run:
    """Implement `harness.analysis.analyse`: on all rows of the suite, of which the run's own are returned."""
    own, whole = len(run.cells), dataclasses.replace(run, cells=(*run.cells, *run.left_out), left_out=())
    links = partners(whole, whole.cells)
    labels = [metric.label for metric in run.metrics]
    cells: Cells = [measured(cell, labels) if cell.status is Status.OK else {} for cell in whole.cells]
    same = originals(whole, cells)
    directed = [metric for metric in run.metrics if metric.higher_is_better is not None]
    apart = {metric.label: differences(whole, cells, links, metric) for metric in directed} if links else {}
    compared, ranked = _judged(whole, cells, links or (), same, apart)
    parts = zip(whole.cells, cells, compared, ranked, _expected(whole), strict=True)
    rows = tuple(_row(whole, *each) for each in parts)
    gates = outcomes(run.gates, rows, links, [is_control(run, cell) for cell in whole.cells])
    issues = (*doubts(whole, cells), *_lost(run, cells), *_few(run, cells), *repeated(run, same, links or ()))
    return Run(
        **{name: getattr(run, name) for name in INFO},
        exit=_exit(run) if run.exit is None else run.exit,
        cells=rows[:own],
        gates=tuple(gate for place, gate in gates if place < own),
        answers=tuple(answered(whole, cells, same, own)),
        claims=tuple(judged(whole, cells, own)),
        looks=run.looks,
        overall=tuple(overall(whole, cells, links or (), same, apart, compared, own)),
        notices=(*run.notices, *issues, *left_out(whole, own, links or ())),
    )


def _judged(
    run: MeasuredRun,
    cells: Cells,
    links: Sequence[Partner],
    same: Sequence[int],
    apart: Mapping[str, Mapping[int, Found]],
) -> tuple[list[dict[str, Comparison]], list[dict[str, Rank]]]:
    """Return the comparisons and the ranks of every row, by metric; metrics that describe have neither.

    `apart` are the differences from the baseline by metric.
    """
    compared: list[dict[str, Comparison]] = [{} for _ in run.cells]
    ranked: list[dict[str, Rank]] = [{} for _ in run.cells]
    for metric in run.metrics:
        if metric.higher_is_better is None:
            continue
        found = apart.get(metric.label, {})
        for index, entry in against(run, cells, links, metric, same, found).items() if found else ():
            compared[index][metric.label] = entry
        for members in problems(run, run.cells).values():
            for index, rank in ranks(run, cells, members, metric, same).items():
                ranked[index][metric.label] = rank
    return compared, ranked


def _row(
    run: MeasuredRun,
    cell: MeasuredRow,
    numbers: Mapping[str, Measured],
    compared: dict[str, Comparison],
    ranked: dict[str, Rank],
    seeds: int,
) -> Row:
    info = {name: getattr(cell, name) for name in ROW}
    metrics = {label: _metric(one, run.metric(label), run.interval, cell, seeds) for label, one in numbers.items()}
    if cell.excluded is not None:
        info["why"] = Reason(ReasonKind.EXCLUDED, text=cell.excluded)
    return Row(**info, metrics=metrics, against=compared, best=ranked)


def _expected(run: MeasuredRun) -> list[int]:
    """Return for every row the largest number of seeds in its problem; 0 where rows have blocks, which may differ."""
    found = [0] * len(run.cells)
    for members in problems(run, run.cells).values() if run.replicates == "seeds" else ():
        most = max(len(run.cells[index].seeds) for index in members)
        for index in members:
            found[index] = most
    return found


def _metric(one: Measured, metric: MetricInfo, kind: str, cell: MeasuredRow, seeds: int) -> MetricValue:
    by_ratio = metric.relative_margin is not None
    found = ratios.interval(one.sample()) if by_ratio else interval(one.sample(), kind)
    spread = ratios.spread(one.values) if by_ratio else None
    signs = [int(math.copysign(math.isinf(value), value)) for value in one.values]
    return MetricValue(
        values=tuple(map(finite, one.values.tolist())),
        mean=None if any(signs) else finite(found.mean),
        low=None if any(signs) else finite(found.low),
        high=None if any(signs) else finite(found.high),
        interval=IntervalKind(found.kind),
        higher_is_better=metric.higher_is_better,
        unit=metric.unit,
        why=_missing(one, found.low, seeds),
        bootstrap=cell.bootstrap.get(metric.label),
        quartiles=spread and spread.quartiles,
        outliers=spread and spread.outliers,
        resolution=one.resolution or None,
        infinite=tuple(signs) if any(signs) else None,
    )


def _missing(one: Measured, low: float, seeds: int) -> Reason | None:
    """Return the reason why a metric's numbers are incomplete, or None; `seeds` is how many there should be."""
    if lost := sum(not math.isfinite(value) for value in one.values):
        kind = (ReasonKind.NOT_FINITE, ReasonKind.INFINITE, ReasonKind.BOTH_SIGNS)[len(_infinities(one))]
        return Reason(kind, count=lost, total=len(one.values))
    if math.isnan(low):
        return Reason(ReasonKind.ONE_SEED if len(one.seeds) == 1 else ReasonKind.SPREAD_NOT_FINITE)
    if (less := seeds - len(one.seeds)) > 0:
        return Reason(ReasonKind.FEWER, count=less, total=seeds)
    return None


def _infinities(one: Measured) -> set[float]:
    """Return the infinities among the values: none, one, or both."""
    return {math.inf, -math.inf} & {*map(float, one.values)}


def _exit(run: MeasuredRun) -> int:
    """Return 4 if nothing was measured, 3 if a row failed or was skipped because an artifact failed, else 0."""
    lost = [is_lost(cell) for cell in run.cells]
    nothing = all(cell.status is Status.SKIPPED and not gone for cell, gone in zip(run.cells, lost, strict=True))
    return 4 if nothing else 3 if any(lost) else 0


def _lost(run: MeasuredRun, cells: Cells) -> Iterator[Issue]:
    """Yield an issue for every row and metric with seeds whose value is infinite, or that have none."""
    kinds = ((IssueKind.INFINITE, math.isinf), (IssueKind.NOT_FINITE, math.isnan))
    for cell, numbers in zip(run.cells, cells, strict=False):  # not the rows left out
        for label, one in numbers.items():
            for kind, odd in kinds:
                if lost := sum(map(odd, one.values)):
                    kind = IssueKind.BOTH_SIGNS if odd is math.isinf and len(_infinities(one)) > 1 else kind
                    rows, total = (full_name(run, cell.vary),), len(one.values)
                    yield Issue(kind, rows=rows, metric=label, count=lost, total=total)


def _few(run: MeasuredRun, cells: Cells) -> Iterator[Issue]:
    """Yield an issue if there are too few seeds for the comparisons."""
    least = min((len(one.seeds) for numbers in cells[: len(run.cells)] for one in numbers.values()), default=0)
    if 0 < least < FEW and len(run.cells) > 1 and run.interval != "examples":
        yield Issue(IssueKind.ONE_SEED) if least == 1 else Issue(IssueKind.FEW_SEEDS, count=least)
