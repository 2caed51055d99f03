"""Verdicts against the baseline and ranks within a problem, one metric at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from harness.analysis.pairing import Partner, naming, text
from harness.analysis.samples import Measured
from harness.results import (
    Comparison,
    IntervalKind,
    MeasuredRow,
    MeasuredRun,
    MetricInfo,
    Needed,
    Rank,
    Ratio,
    Reason,
    ReasonKind,
    Status,
    Verdict,
)
from harness.statistics import ratios
from harness.statistics.paired import Difference, difference, holm, needed, same
from harness.statistics.unpaired import unpaired

ALPHA = 0.05
"""Probability of any false verdict among all comparisons of one metric."""

Cells = Sequence[Mapping[str, Measured]]
Found = tuple[Difference | None, Reason | None]
"""Difference of a row to its partner, and the reason for its absence or a remark about it."""


def against(run: MeasuredRun, cells: Cells, links: Sequence[Partner], metric: MetricInfo) -> dict[int, Comparison]:
    """Return row number -> comparison with the baseline, for every row with the metric that is no baseline itself.

    Holm runs over all comparisons of the metric in the suite. Where a `margin` is given, a difference shown to be
    inside it is equivalent even if it is not zero: the suite declares it irrelevant. A metric that is compared by
    ratio has a margin of its own; a difference within it is never better or worse, even if significant.
    """
    found = {
        index: _compare(run, cells, index, link, metric)
        for index, link in enumerate(links)
        if metric.label in cells[index] and link.index != index
    }
    tests = {index: each for index, (each, _) in found.items() if each is not None and _judged(run, each)}
    adjusted = dict(zip(tests, holm([each.p for each in tests.values()]), strict=True))
    margins = {index: _margin(run, cells, links[index], metric) for index in tests}
    equal = holm([same(each, margin) if (margin := margins[index]) else None for index, each in tests.items()])
    family = Family(tests, adjusted, dict(zip(tests, equal, strict=True)), margins)
    return {index: _comparison(run, cells, index, links[index], metric, each, family) for index, each in found.items()}


class Family:
    """All comparisons of one metric: differences, adjusted p-values, also for equivalence, and margins."""

    def __init__(
        self,
        tests: Mapping[int, Difference],
        adjusted: Mapping[int, float | None],
        equal: Mapping[int, float | None],
        margins: Mapping[int, float | None],
    ) -> None:
        self.tests, self.adjusted, self.equal, self.margins = tests, adjusted, equal, margins
        decided = sum(p is not None and p <= ALPHA for p in adjusted.values())
        self.alpha = ALPHA / max(1, len(tests) - decided)
        """Level that each undecided comparison has to pass."""


def _comparison(
    run: MeasuredRun, cells: Cells, index: int, link: Partner, metric: MetricInfo, found: Found, family: Family
) -> Comparison:
    each, why = found
    p_holm = family.adjusted.get(index)
    least = family.margins.get(index) if metric.relative_margin else None
    verdict = _verdict(each, p_holm, family.equal.get(index), bool(metric.higher_is_better), least or 0.0)
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
        p=each.p if each is not None and index in family.tests else None,
        p_holm=p_holm,
        family=len(family.tests),
        verdict=verdict,
        needed=more,
        why=why,
        ratio=_ratio(cells, link, each, metric),
    )


def ranks(run: MeasuredRun, cells: Cells, members: Sequence[int], metric: MetricInfo) -> dict[int, Rank]:
    """Return row number -> best, tied (not significantly worse than the best, Holm within the problem) or beaten.

    A row with a seed without a finite value has no rank, since the mean of the other seeds is not its mean; nor has one
    with examples on its decision threshold, since the optimizer's last steps decide these, nor any other if such a row
    has the best mean.
    """
    label, sign = metric.label, 1 if metric.higher_is_better else -1
    ranked = [index for index in members if label in cells[index] and run.cells[index].excluded is None]
    means = {index: sign * _typical(cells[index][label], metric) for index in ranked}
    means = {index: mean for index, mean in means.items() if math.isfinite(mean)}
    chance = {index for index in means if label in (run.cells[index].on_threshold or {})}
    if not means or max(means, key=lambda index: means[index]) in chance:
        return {}
    means = {index: mean for index, mean in means.items() if index not in chance}
    best = max(means, key=lambda index: means[index])
    others = [index for index in means if means[index] < means[best]]
    ps = []
    for index in others:
        found = _difference(cells[index][label], cells[best][label], run.interval, metric)
        ps.append(found.p if found and _judged(run, found) and sign * found.difference < 0 else None)
    beaten = {index for index, p in zip(others, holm(ps), strict=True) if p is not None and p <= ALPHA}
    return {i: Rank.BEATEN if i in beaten else Rank.TIED if i in others else Rank.BEST for i in means}


def _difference(one: Measured, other: Measured, kind: str, metric: MetricInfo) -> Difference | None:
    """Return the paired difference over the common seeds; None if there is no common seed."""
    seeds = [seed for seed in one.seeds if seed in set(other.seeds)]
    if metric.relative_margin is not None and seeds:
        return ratios.difference(one.sample(seeds), other.sample(seeds))
    return difference(one.sample(seeds), other.sample(seeds), kind) if seeds else None


def compared(run: MeasuredRun, one: Measured, other: Measured, metric: MetricInfo) -> Difference | None:
    """Return the paired difference of two rows; None if it cannot be computed, or is infinite."""
    found = None if _infinite(one) or _infinite(other) else _difference(one, other, run.interval, metric)
    return found if found is not None and _judged(run, found) else None


def _typical(one: Measured, metric: MetricInfo) -> float:
    """Return the value by which a row is ranked: its mean, or the typical value of a metric compared by ratio."""
    if _infinite(one):
        return math.nan
    return float(one.values.mean()) if metric.relative_margin is None else ratios.interval(one.sample()).mean


def _judged(run: MeasuredRun, found: Difference) -> bool:
    """Return whether the test generalizes over seeds: examples alone say nothing about other seeds unless requested."""
    return found.p is not None and (found.kind != "examples" or run.interval == "examples")


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
    if lost := max(_infinite(one), _infinite(other)):
        return None, Reason(ReasonKind.INFINITE_IN_ONE, count=lost, total=len(one.seeds))
    found = apart(one.sample(), other.sample()) if alone else _difference(one, other, run.interval, metric)
    if found is None or found.pairs == 0:
        return None, Reason(ReasonKind.NO_COMMON_SEED)
    chance = sum((row.on_threshold or {}).get(label, 0.0) for row in (run.cells[index], partner))
    if chance and abs(found.difference) <= chance * (1 + 1e-6):
        return None, Reason(ReasonKind.ON_THRESHOLD)
    return found, _caveat(run, found)


def _infinite(one: Measured) -> int:
    """Return the number of infinite values."""
    return sum(map(math.isinf, one.values))


def _absent(row: MeasuredRow, partner: MeasuredRow) -> Reason | None:
    """Return the reason why two rows cannot be compared, whatever their values; None if they can."""
    if partner.status is not Status.OK:
        return Reason(ReasonKind.BASELINE_ENDED, status=partner.status, cause=partner.why)
    if row.excluded is not None:
        return Reason(ReasonKind.EXCLUDED, text=row.excluded)
    if partner.excluded is not None:
        return Reason(ReasonKind.BASELINE_EXCLUDED, text=partner.excluded)
    return None


def _caveat(run: MeasuredRun, found: Difference) -> Reason | None:
    if not _judged(run, found):
        return Reason(ReasonKind.ONE_PAIR if found.pairs == 1 else ReasonKind.SPREAD_NOT_FINITE)
    if math.isnan(found.low):
        return Reason(ReasonKind.SPREAD_UNKNOWN, count=found.pairs)
    if found.dropped:
        return Reason(ReasonKind.DROPPED, count=found.dropped, total=found.pairs + found.dropped)
    return None


def _ratio(cells: Cells, link: Partner, found: Difference | None, metric: MetricInfo) -> Ratio | None:
    """Return the ratio to the baseline of a metric that is compared by ratio; else None."""
    if metric.relative_margin is None or found is None or link.index is None:
        return None
    ratio, low, high = ratios.as_ratio(found, cells[link.index][metric.label].sample())
    return Ratio(ratio, finite(low), finite(high))


def _margin(run: MeasuredRun, cells: Cells, link: Partner, metric: MetricInfo) -> float | None:
    """Return the margin in the metric's unit. A ratio's is a share of the baseline, by default the metric's own."""
    label, margin = metric.label, run.margin
    if isinstance(margin, Mapping):
        margin = margin.get(label, margin.get(label.split("(", 1)[0]))
    if metric.relative_margin is None or link.index is None:
        return None if margin is None else float(margin)
    share = float(metric.relative_margin if margin is None else margin)
    return share * ratios.interval(cells[link.index][label].sample()).mean


def _verdict(
    found: Difference | None, p: float | None, equal: float | None, higher_is_better: bool, least: float
) -> Verdict | None:
    if found is None or p is None:
        return None
    if equal is not None and equal <= ALPHA:
        return Verdict.EQUIVALENT
    if p > ALPHA or abs(found.difference) <= least:
        return Verdict.UNDECIDED
    return Verdict.BETTER if (found.difference > 0) == higher_is_better else Verdict.WORSE


def _named(run: MeasuredRun, link: Partner) -> str:
    """Return the name of a row's baseline."""
    shown = "" if link.index is None else text(run.cells[link.index].vary, naming(run)[0])
    named = run.baseline.values() if isinstance(run.baseline, Mapping) else [run.baseline]
    return shown or " / ".join(map(str, named))


def finite(value: float) -> float | None:
    """Return the number, or None if it is not finite."""
    return value if math.isfinite(value) else None
