"""Ranks within a problem, one metric at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.analysis.differences import ALPHA, Cells, infinite, is_test, paired_difference
from harness.analysis.pairing import is_control
from harness.analysis.samples import Measured
from harness.results import MeasuredRun, MetricInfo, Rank
from harness.statistics import ratios
from harness.statistics.paired import holm


def ranks(
    run: MeasuredRun, cells: Cells, members: Sequence[int], metric: MetricInfo, same: Sequence[int]
) -> dict[int, Rank]:
    """Return row number -> best, tied (not significantly worse than the best, Holm within the problem) or beaten.

    Rows that are identical to the best are best too. A row with a seed without a finite value has no rank, since the
    mean of the other seeds is not its mean, and a control has none, since it is no contender. `same` are the rows that
    rows repeat: repetitions are one test. Nor has a row with examples on its decision threshold a rank, since the
    optimizer's last steps decide these, nor any other if such a row has the best mean.
    """
    label, sign = metric.label, 1 if metric.higher_is_better else -1
    ranked = [i for i in members if label in cells[i] and run.cells[i].excluded is None]
    ranked = [i for i in ranked if not is_control(run, run.cells[i])]
    means = {index: sign * _typical(cells[index][label], metric) for index in ranked}
    means = {index: mean for index, mean in means.items() if math.isfinite(mean)}
    chance = {index for index in means if label in (run.cells[index].on_threshold or {})}
    if not means or max(means, key=lambda index: means[index]) in chance:
        return {}
    means = {index: mean for index, mean in means.items() if index not in chance}
    best = max(means, key=lambda index: means[index])
    found = {i: paired_difference(cells[i][label], cells[best][label], run.interval, metric) for i in means}
    equal = {i for i, each in found.items() if i == best or (each and each.identical) or means[i] == means[best]}
    tests = {same[i]: each for i, each in found.items() if i not in equal and each is not None and is_test(run, each)}
    missing = sum(run.cells[i].is_left_out for i in members)
    ps = holm([each.p if sign * each.difference < 0 else 1.0 for each in tests.values()], missing)
    beaten = {index for index, p in zip(tests, ps, strict=True) if p is not None and p <= ALPHA}
    return {i: Rank.BEST if i in equal else Rank.BEATEN if same[i] in beaten else Rank.TIED for i in means}


def _typical(one: Measured, metric: MetricInfo) -> float:
    """Return the value by which a row is ranked: its mean, or the typical value of a metric compared by ratio."""
    if infinite(one):
        return math.nan
    return float(one.values.mean()) if metric.relative_margin is None else ratios.interval(one.sample()).mean
