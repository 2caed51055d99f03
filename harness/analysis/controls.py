"""Controls: rows that must sit on a metric's floor; where one does not, the metric is not to be trusted there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from harness.analysis.answer import adjusted
from harness.analysis.pairing import naming, text
from harness.analysis.samples import Measured
from harness.statistics.paired import holm

ALPHA = 0.05
"""The chance of any false doubt among all controls and metrics of a suite."""


class Reading(NamedTuple):
    """A metric of one control: where it should be, where it is, and how surely that is elsewhere."""

    row: str
    problem: str
    metric: str
    floor: float
    mean: float
    p: float | None


def doubts(run: Mapping[str, Any], cells: Sequence[Mapping[str, Measured]]) -> list[str]:
    """A line for every metric that some control shows to be off its floor, by a t test and Holm over all of them."""
    found = list(_readings(run, cells))
    ps = holm([reading.p for reading in found])
    return [_said(one, p) for one, p in zip(found, ps, strict=True) if p is not None and p <= ALPHA]


def _said(one: Reading, p: float) -> str:
    where = f" on {one.problem}" if one.problem else ""
    return (
        f"{one.metric} is not to be trusted{where}: the control {one.row} has {one.mean:.3g}, "
        f"where a perfect sampler has {one.floor:g} ({adjusted(p)})"
    )


def _readings(run: Mapping[str, Any], cells: Sequence[Mapping[str, Measured]]) -> Iterator[Reading]:
    controls = {tuple(pair) for pair in run.get("controls", ())}
    rows, inside = naming(run)
    floors = {metric["label"]: metric["floor"] for metric in run["measure"] if metric.get("floor") is not None}
    for cell, measured in zip(run["cells"], cells, strict=True):
        if controls.isdisjoint((kind, spec["name"]) for kind, spec in cell["parameters"].items()):
            continue
        for label in floors.keys() & measured.keys():
            values = measured[label].values[np.isfinite(measured[label].values)]
            if not len(values):
                continue
            named = text(cell["vary"], rows), text(cell["vary"], inside)
            yield Reading(*named, label, floors[label], float(values.mean()), _p(values, floors[label]))


def _p(values: Any, floor: float) -> float | None:
    if len(values) < 2 or values.std() == 0:
        return None
    p = float(stats.ttest_1samp(values, floor).pvalue)
    return None if math.isnan(p) else p
