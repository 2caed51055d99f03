"""Paired differences of two rows in one metric, and the rows that are the same row under several names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from harness.analysis.samples import Measured
from harness.results import MeasuredRow, MeasuredRun, MetricInfo, Status
from harness.statistics import ratios
from harness.statistics.paired import Difference, difference

ALPHA = 0.05
"""Probability of any false verdict among all comparisons of one metric."""

Cells = Sequence[Mapping[str, Measured]]


def paired_difference(one: Measured, other: Measured, kind: str, metric: MetricInfo) -> Difference | None:
    """Return the paired difference over the common seeds; None if there is no common seed."""
    seeds = one.shared(other)
    if metric.relative_margin is not None and seeds:
        return ratios.difference(one.sample(seeds), other.sample(seeds))
    return difference(one.sample(seeds), other.sample(seeds), kind) if seeds else None


def infinite(one: Measured) -> int:
    """Return the number of infinite values."""
    return sum(map(math.isinf, one.values))


def compared(run: MeasuredRun, one: Measured, other: Measured, metric: MetricInfo) -> Difference | None:
    """Return the paired difference of two rows; None if it cannot be computed, or is infinite."""
    found = None if infinite(one) or infinite(other) else paired_difference(one, other, run.interval, metric)
    return found if found is not None and is_test(run, found) else None


def is_chance(rows: Sequence[MeasuredRow], label: str, found: Difference) -> bool:
    """Return whether examples on the decision threshold of two rows explain their difference in a metric."""
    chance = sum((row.on_threshold or {}).get(label, 0.0) for row in rows)
    return bool(chance) and abs(found.difference) <= chance * (1 + 1e-6)


def is_test(run: MeasuredRun, found: Difference) -> bool:
    """Return whether the test generalizes over seeds: examples alone say nothing about other seeds unless requested."""
    return found.p is not None and (found.kind != "examples" or run.interval == "examples")


def originals(run: MeasuredRun, cells: Cells) -> list[int]:
    """Return for every row the first one that it repeats, itself if it repeats none.

    A row repeats another that it equals to rounding at every seed in every metric, times aside: as far as can be
    measured the part in which they differ is not used, and they are one row under two names. One seed without results
    per example shows nothing of the kind.
    """
    metrics = [metric for metric in run.metrics if metric.unit != "s" and metric.relative_margin is None]
    found = list(range(len(cells)))
    first: dict[tuple[object, ...], list[int]] = {}
    for index, cell in enumerate(cells):
        own = [metric for metric in metrics if metric.label in cell]
        if run.cells[index].status is not Status.OK or not own:
            continue
        known = first.setdefault((run.cells[index].seeds, *(metric.label for metric in own)), [])
        near = (other for other in known if _near(cell[own[0].label], cells[other][own[0].label]))
        found[index] = next((other for other in near if _repeats(run, cell, cells[other], own)), index)
        known += [index] if found[index] == index else []
    return found


def _near(one: Measured, other: Measured) -> bool:
    """Return False if the values at the first seed alone show that two rows differ: a quick test for many rows."""
    a, b = float(one.values[0]), float(other.values[0])
    return not abs(a - b) > one.rounding + other.rounding


def _repeats(
    run: MeasuredRun, one: Mapping[str, Measured], other: Mapping[str, Measured], metrics: Sequence[MetricInfo]
) -> bool:
    """Return whether two rows with the same seeds are identical in these metrics."""
    for metric in metrics:
        mine, theirs = one[metric.label], other[metric.label]
        finite = np.isfinite(mine.values)
        same = np.array_equal(finite, np.isfinite(theirs.values))
        if not same or not np.array_equal(mine.values[~finite], theirs.values[~finite], equal_nan=True):
            return False
        found = paired_difference(mine, theirs, run.interval, metric) if finite.any() else None
        if finite.any() and not (found and is_test(run, found) and found.identical):
            return False
    return any(bool(np.isfinite(one[metric.label].values).any()) for metric in metrics)
