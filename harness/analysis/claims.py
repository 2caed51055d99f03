"""Claimed orderings compared with the measurements: where each one holds, fails or is undecided."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from harness.analysis.pairing import text
from harness.analysis.samples import Measured
from harness.analysis.verdicts import ALPHA, compared
from harness.results import Claim, ClaimedOrder, ClaimedPair, MeasuredRun
from harness.statistics.paired import holm

Cells = Sequence[Mapping[str, Measured]]


class Pair(NamedTuple):
    """Two neighbors of a claimed order on one problem: how far the second is behind, and the p-value of that."""

    ahead: str
    behind: str
    place: str
    lead: float
    p: float | None


def judged(run: MeasuredRun, cells: Cells) -> Iterator[Claim]:
    """Return every claim of a run with its pairs: the problems where the order holds, fails or is undecided.

    Tests are paired; Holm's method runs over all pairs of all claims, so that no theorem is contradicted by chance.
    """
    found = [list(_pairs(run, cells, claim)) for claim in run.claims]
    adjusted = iter(holm([pair.p for pairs in found for pair in pairs]))
    for claim, pairs in zip(run.claims, found, strict=True):
        about = {each.name: getattr(claim, each.name) for each in dataclasses.fields(ClaimedOrder)}
        yield Claim(**about, pairs=_sorted([(pair, next(adjusted)) for pair in pairs]))


def _pairs(run: MeasuredRun, cells: Cells, claim: ClaimedOrder) -> Iterator[Pair]:
    metric = run.metric(claim.metric)
    sign = 1 if metric.higher_is_better else -1
    others = [axis for axis, labels in run.axes.items() if axis != claim.axis and len(labels) > 1]
    rows: dict[tuple[str, ...], dict[str, int]] = {}
    for index, cell in enumerate(run.cells):
        if all(cell.vary.get(axis) in entries for axis, entries in claim.where.items()):
            key = tuple(str(cell.vary.get(axis)) for axis in others)
            rows.setdefault(key, {})[str(cell.vary.get(claim.axis))] = index
    for better, worse in pairwise(map(str, claim.order)):
        for members in rows.values():
            if better not in members or worse not in members:
                continue
            one, other = (cells[members[name]].get(claim.metric) for name in (better, worse))
            found = compared(run, one, other, metric) if one and other else None
            if found is not None:
                place = text(run.cells[members[better]].vary, others)
                yield Pair(better, worse, place, sign * found.difference, found.p)


def _sorted(pairs: Sequence[tuple[Pair, float | None]]) -> tuple[ClaimedPair, ...]:
    """Return one entry for each pair of neighbors, in the order of the claim."""
    found: dict[tuple[str, str], tuple[list[str], list[str], list[str]]] = {}
    for pair, p in pairs:
        holds, fails, unclear = found.setdefault((pair.ahead, pair.behind), ([], [], []))
        sure = p is not None and p <= ALPHA
        (unclear if not sure else holds if pair.lead > 0 else fails).append(pair.place)
    return tuple(ClaimedPair(*names, *map(tuple, places)) for names, places in found.items())
