"""Verdicts against the baseline, one metric at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from harness.analysis.differences import ALPHA, Cells, infinite, is_chance, is_test, paired_difference
from harness.analysis.family import Family
from harness.analysis.pairing import Partner, is_control, naming, text
from harness.results import (
    Comparison,
    IntervalKind,
    MeasuredRow,
    MeasuredRun,
    MetricInfo,
    Needed,
    Ratio,
    Reason,
    ReasonKind,
    Status,
    Verdict,
)
from harness.statistics import ratios
from harness.statistics.paired import Difference, needed
from harness.statistics.unpaired import unpaired

Found = tuple[Difference | None, Reason | None]
"""Difference of a row to its partner, and the reason for its absence or a remark about it."""


def differences(run: MeasuredRun, cells: Cells, links: Sequence[Partner], metric: MetricInfo) -> dict[int, Found]:
    """Return row number -> difference from the baseline, for every row with the metric that is no baseline itself."""
    return {
        index: _compare(run, cells, index, link, metric)
        for index, link in enumerate(links)
        if metric.label in cells[index] and link.index != index
    }


def against(
    run: MeasuredRun,
    cells: Cells,
    links: Sequence[Partner],
    metric: MetricInfo,
    same: Sequence[int],
    found: Mapping[int, Found],
) -> dict[int, Comparison]:
    """Return row number -> comparison with the baseline, for every row with a `found` difference or reason.

    Holm runs over all comparisons of contenders in the suite (see `Family`). Rows that are equal to rounding are
    identical, and there is nothing to test. Where a `margin` is given, a difference shown to be inside it is equivalent
    even if it is not zero: the suite declares it irrelevant. A metric that is compared by ratio has a margin of its
    own; a difference within it is never better or worse, even if significant. `same` are the rows that rows repeat.
    """
    tests = {index: each for index, (each, _) in found.items() if each is not None and _tested(run, index, each)}
    margins = {index: _margin(run, cells, links[index], metric) for index in tests}
    others = {(each.test_set, each.metric): each.others for each in run.looks}
    more = {index: others.get((run.cells[index].test_set or "", metric.label), 0) for index in tests}
    family = Family(run, links, same, tests, margins, more)
    return {index: _comparison(run, cells, index, links[index], metric, each, family) for index, each in found.items()}


def _tested(run: MeasuredRun, index: int, found: Difference) -> bool:
    """Return whether a comparison is one of the suite's tests; those of controls are not."""
    return is_test(run, found) and not is_control(run, run.cells[index])


def _comparison(
    run: MeasuredRun, cells: Cells, index: int, link: Partner, metric: MetricInfo, found: Found, family: Family
) -> Comparison:
    each, why = found
    test = family.tests.get(index)
    p_holm = None if test is None or test.identical else family.adjusted[index]
    verdict = _verdict(index, test, metric, family)
    more = Needed(0, 0) if verdict and verdict is not Verdict.UNDECIDED else Needed(None, None)
    if each is not None and verdict is Verdict.UNDECIDED:
        sure = (p_holm or 0) <= ALPHA
        wanted = needed(each, family.alpha)
        more = Needed(None, None) if sure else Needed(wanted.seeds, wanted.examples)
        why = Reason(ReasonKind.NEGLIGIBLE) if sure else why
    return Comparison(
        baseline=_named(run, link),
        difference=None if each is None else finite(each.difference),
        low=None if each is None else finite(each.low),
        high=None if each is None else finite(each.high),
        interval=None if each is None else IntervalKind(each.kind),
        p=None if test is None or test.identical else test.p,
        p_holm=p_holm,
        family=family.size,
        verdict=verdict,
        needed=more,
        why=why,
        ratio=_ratio(cells, link, each, metric),
        p_looks=None if p_holm is None else family.over_looks.get(index),
    )


def _compare(run: MeasuredRun, cells: Cells, index: int, link: Partner, metric: MetricInfo) -> Found:
    if link.index is None:
        return None, link.why
    label, partner = metric.label, run.cells[link.index]
    if absent := _absent(run.cells[index], partner):
        return None, absent
    if label not in cells[link.index]:
        return None, Reason(ReasonKind.BASELINE_LACKS, name=label)
    one, other = cells[index][label], cells[link.index][label]
    apart = unpaired if metric.relative_margin is None else ratios.unpaired
    alone = label in run.unpaired
    if lost := max(infinite(one), infinite(other)):
        return None, Reason(ReasonKind.INFINITE_IN_ONE, count=lost, total=len(one.seeds))
    found = apart(one.sample(), other.sample()) if alone else paired_difference(one, other, run.interval, metric)
    if found is None or found.pairs == 0:
        return None, Reason(ReasonKind.NO_COMMON_SEED)
    if is_chance((run.cells[index], partner), label, found):
        return None, Reason(ReasonKind.ON_THRESHOLD)
    return found, _caveat(run, index, found, 0 if alone else max(len(one.seeds), len(other.seeds)))


def _absent(row: MeasuredRow, partner: MeasuredRow) -> Reason | None:
    """Return the reason why two rows cannot be compared, whatever their values; None if they can."""
    if partner.is_left_out:
        return Reason(ReasonKind.LEFT_OUT)
    if partner.status is not Status.OK:
        return Reason(ReasonKind.BASELINE_ENDED, status=partner.status, cause=partner.why)
    if row.excluded is not None:
        return Reason(ReasonKind.EXCLUDED, text=row.excluded)
    if partner.excluded is not None:
        return Reason(ReasonKind.BASELINE_EXCLUDED, text=partner.excluded)
    return None


def _caveat(run: MeasuredRun, index: int, found: Difference, seeds: int) -> Reason | None:
    """Return what a reader has to know of a comparison; `seeds` is the larger number of seeds of its two rows."""
    if is_control(run, run.cells[index]):
        return Reason(ReasonKind.CONTROL)
    if not is_test(run, found):
        return Reason(ReasonKind.ONE_PAIR if found.pairs == 1 else ReasonKind.SPREAD_NOT_FINITE)
    if math.isnan(found.low):
        return Reason(ReasonKind.SPREAD_UNKNOWN, count=found.pairs)
    if lost := max(found.dropped, seeds - found.pairs if run.replicates == "seeds" else 0):
        return Reason(ReasonKind.DROPPED, count=lost, total=found.pairs + lost)
    return None


def _ratio(cells: Cells, link: Partner, found: Difference | None, metric: MetricInfo) -> Ratio | None:
    """Return the ratio to the baseline of a metric that is compared by ratio; else None."""
    if metric.relative_margin is None or found is None or link.index is None:
        return None
    ratio, low, high = ratios.as_ratio(found, cells[link.index][metric.label].sample())
    return Ratio(ratio, finite(low), finite(high))


def _margin(run: MeasuredRun, cells: Cells, link: Partner, metric: MetricInfo) -> float | None:
    """Return the margin in the metric's unit. A ratio's is a share of the baseline, by default the metric's own."""
    margin = margin_of(run, metric)
    if margin is None or metric.relative_margin is None or link.index is None:
        return margin
    return margin * ratios.interval(cells[link.index][metric.label].sample()).mean


def margin_of(run: MeasuredRun, metric: MetricInfo) -> float | None:
    """Return a metric's margin, in its unit or as a share of the baseline: the suite's, or the metric's own."""
    label, margin = metric.label, run.margin
    if isinstance(margin, Mapping):
        margin = margin.get(label, margin.get(label.split("(", 1)[0]))
    margin = metric.relative_margin if margin is None else margin
    return None if margin is None else float(margin)


def _verdict(index: int, test: Difference | None, metric: MetricInfo, family: Family) -> Verdict | None:
    if test is None:
        return None
    if test.identical:
        return Verdict.IDENTICAL
    p, equal = family.adjusted[index], family.equal[index]
    least = family.margins[index] if metric.relative_margin else None
    if equal is not None and equal <= ALPHA:
        return Verdict.EQUIVALENT
    if p > ALPHA or abs(test.difference) <= (least or 0.0):
        return Verdict.UNDECIDED
    return Verdict.BETTER if (test.difference > 0) == bool(metric.higher_is_better) else Verdict.WORSE


def _named(run: MeasuredRun, link: Partner) -> str:
    """Return the name of a row's baseline."""
    shown = "" if link.index is None else text(run.cells[link.index].vary, naming(run)[0])
    named = run.baseline.values() if isinstance(run.baseline, Mapping) else [run.baseline]
    return shown or " / ".join(map(str, named))


def finite(value: float) -> float | None:
    """Return the number, or None if it is not finite."""
    return value if math.isfinite(value) else None
