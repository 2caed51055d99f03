"""Ranks within a problem, one metric at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

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

    Rows that are identical to the best are best too. A control has no rank, since it is no contender. Nor has a row
    with a seed without a finite value, since the mean of the other seeds is not its mean, or with examples on its
    decision threshold, since the optimizer's last steps decide these; if such a row has the best mean no row has a
    rank. `same` are the rows that rows repeat: repetitions are one test.
    """
    label, sign = metric.label, 1 if metric.higher_is_better else -1
    ranked = [i for i in members if label in cells[i] and run.cells[i].excluded is None]
    ranked = [i for i in ranked if not is_control(run, run.cells[i])]
    means = {index: sign * typical(cells[index][label], metric) for index in ranked}
    means = {index: mean for index, mean in means.items() if math.isfinite(mean)}
    doubtful = {index for index in means if label in (run.cells[index].on_threshold or {})}
    doubtful |= {index for index in means if not np.isfinite(cells[index][label].values).all()}
    if not means or max(means, key=lambda index: means[index]) in doubtful:
        return {}
    means = {index: mean for index, mean in means.items() if index not in doubtful}
    best = max(means, key=lambda index: means[index])
    found = {i: paired_difference(cells[i][label], cells[best][label], run.interval, metric) for i in means}
    equal = {i for i, each in found.items() if i == best or (each and each.identical) or means[i] == means[best]}
    tests = {same[i]: each for i, each in found.items() if i not in equal and each is not None and is_test(run, each)}
    missing = sum(run.cells[i].is_left_out for i in members)
    ps = holm([each.p if sign * each.difference < 0 else 1.0 for each in tests.values()], missing)
    beaten = {index for index, p in zip(tests, ps, strict=True) if p is not None and p <= ALPHA}
    return {i: Rank.BEST if i in equal else Rank.BEATEN if same[i] in beaten else Rank.TIED for i in means}


def typical(one: Measured, metric: MetricInfo) -> float:
    """Return the value by which a row is ranked: its mean, or the typical value of a metric compared by ratio.

    It is that of the seeds with a value; NaN if there is none, or one is infinite.
    """
    known = one.values[~np.isnan(one.values)]
    if infinite(one) or not known.size:
        return math.nan
    return float(known.mean()) if metric.relative_margin is None else ratios.interval(one.sample()).mean
