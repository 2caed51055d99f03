"""Gates: does every row keep the bounds that the suite sets?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from harness.analysis.differences import ALPHA
from harness.analysis.pairing import Partner
from harness.results import Comparison, Gate, GateRule, MetricValue, Reason, ReasonKind, Row, Status, Verdict
from harness.suite.gates import COMPARING


def outcomes(
    gates: Sequence[GateRule], cells: Sequence[Row], links: Sequence[Partner] | None, controls: Sequence[bool]
) -> Iterator[tuple[int, Gate]]:
    """Yield the place of a row and the outcome of a gate on it, from finished rows and their partners.

    `passed` is False if the bound is broken and None if undecided, with `why`. `value`, `low` and `high`
    are compared with the bound: the row's mean, or how much worse than its baseline it is, as a share of the
    baseline's mean where the gate is relative. `confirmed` counts measurements in fresh processes that agree. Skipped
    rows have no gate, and baselines and controls none that compares.
    """
    for rule in gates:
        for index, cell in enumerate(cells):
            partner = _partner(cells, links, index)
            if cell.status is Status.SKIPPED or (rule.rule in COMPARING and (cell is partner or controls[index])):
                continue
            yield index, _judged(Gate(**dataclasses.asdict(rule), cell=cell.id, vary=cell.vary), cell, partner)


def _partner(cells: Sequence[Row], links: Sequence[Partner] | None, index: int) -> Row | None:
    place = links[index].index if links else None
    return None if place is None else cells[place]


def _judged(gate: Gate, cell: Row, partner: Row | None) -> Gate:
    """Return the gate's outcome on one row."""
    if cell.status is not Status.OK:
        why = Reason(ReasonKind.ROW_ENDED, status=cell.status, cause=cell.why)
        return dataclasses.replace(gate, why=why)
    metric = cell.metrics.get(gate.metric)
    if metric is None:
        return dataclasses.replace(gate, why=Reason(ReasonKind.ROW_LACKS, name=gate.metric))
    if gate.rule in COMPARING:
        return _compared(gate, metric, cell.against[gate.metric], partner)
    return _bounded(gate, metric)


def _bounded(gate: Gate, metric: MetricValue) -> Gate:
    """Compare the row's mean with `max` or `min`; a seed without a finite value breaks either bound."""
    value = metric.mean
    within = value is not None and (value <= gate.bound if gate.rule == "max" else value >= gate.bound)
    kept = None not in metric.values and within
    return dataclasses.replace(gate, value=value, low=metric.low, high=metric.high, why=metric.why, passed=kept)


def _compared(gate: Gate, metric: MetricValue, entry: Comparison, partner: Row | None) -> Gate:
    """`max_regression` is broken by a proven regression: significant after Holm, its whole interval beyond the bound.

    `max_change` is broken by such a change in either direction.
    `non_inferior_by` is kept where non-inferiority is shown: no part of the interval is beyond the bound, and no seed
    of the row is without a finite value. A row that is identical to its baseline keeps both.
    """
    shows = gate.rule == "non_inferior_by"
    unproven = dataclasses.replace(gate, baseline=entry.baseline, passed=False if shows else None, why=entry.why)
    equal = entry.verdict is Verdict.IDENTICAL
    if partner is None or entry.difference is None or not (equal or entry.p is not None):
        return unproven
    unit = abs(partner.metrics[gate.metric].mean or 0.0) if gate.relative else 1.0
    if unit == 0:
        return dataclasses.replace(unproven, why=Reason(ReasonKind.BASELINE_ZERO))
    value, low, high = _worse(entry, entry.difference, bool(metric.higher_is_better), unit)
    shown = None not in metric.values and high is not None and high <= gate.bound
    beyond = low is not None and low > gate.bound
    beyond |= gate.rule == "max_change" and high is not None and -high > gate.bound
    proven = entry.p_holm is not None and entry.p_holm <= ALPHA and beyond
    return dataclasses.replace(unproven, value=value, low=low, high=high, passed=shown if shows else not proven)


def _worse(
    entry: Comparison, difference: float, higher_is_better: bool, unit: float
) -> tuple[float, float | None, float | None]:
    """Return how much worse than the baseline a row is in some unit, above 0 if it is worse, with its interval."""
    sign = -1 if higher_is_better else 1
    low, high = (
        end and sign * end / unit  # 0 stays 0, without a sign
        for end in ((entry.low, entry.high) if sign == 1 else (entry.high, entry.low))
    )
    return sign * difference / unit, low, high
