"""Controls: rows that must reach a metric's ideal value; where one does not, the metric is not trustworthy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from harness.analysis.pairing import is_control, naming, text
from harness.analysis.samples import Measured
from harness.results import Issue, IssueKind, MeasuredRun
from harness.statistics.clusters import Array
from harness.statistics.paired import holm

ALPHA = 0.05
"""Probability of any false alarm among all controls and metrics of a suite."""


class Reading(NamedTuple):
    """A metric of one control: its ideal, its measured mean, and the p-value of the difference."""

    row: str
    problem: str
    metric: str
    ideal: float
    mean: float
    p: float | None


def doubts(run: MeasuredRun, cells: Sequence[Mapping[str, Measured]]) -> list[Issue]:
    """Return an issue for every metric that a control shows to be off its ideal, by a t test and Holm over all.

    Controls that were left out count with p = 1 in every metric with an ideal.
    """
    found = list(_readings(run, cells))
    absent = sum(cell.is_left_out and is_control(run, cell) for cell in run.cells)
    ps = holm([reading.p for reading in found], absent * sum(metric.ideal is not None for metric in run.metrics))
    return [_issue(one, p) for one, p in zip(found, ps, strict=True) if p is not None and p <= ALPHA]


def _issue(one: Reading, p: float) -> Issue:
    return Issue(
        IssueKind.CONTROL_OFF,
        rows=(one.row,),
        metric=one.metric,
        problem=one.problem,
        value=one.mean,
        bound=one.ideal,
        p=p,
    )


def _readings(run: MeasuredRun, cells: Sequence[Mapping[str, Measured]]) -> Iterator[Reading]:
    rows, inside = naming(run)
    ideals = {metric.label: metric.ideal for metric in run.metrics if metric.ideal is not None}
    for cell, measured in zip(run.cells, cells, strict=True):
        if not is_control(run, cell):
            continue
        for label in ideals.keys() & measured.keys():
            values = measured[label].values[np.isfinite(measured[label].values)]
            if len(values):
                named = text(cell.vary, rows), text(cell.vary, inside)
                yield Reading(*named, label, ideals[label], float(values.mean()), _p(values, ideals[label]))


def _p(values: Array, ideal: float) -> float | None:
    if len(values) < 2 or values.std() == 0:
        return None
    p = float(stats.ttest_1samp(values, ideal).pvalue)
    return None if math.isnan(p) else p
