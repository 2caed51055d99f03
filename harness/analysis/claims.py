"""Claimed orderings compared with the measurements: where each one holds, fails or is undecided."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from harness.analysis.differences import ALPHA, Cells, compared, is_chance
from harness.analysis.pairing import text
from harness.results import Claim, ClaimedOrder, ClaimedPair, MeasuredRun
from harness.statistics.paired import holm


class Pair(NamedTuple):
    """Two neighbors of a claimed order on one problem: how far the second is behind, and the p-value of that.

    `shown` is False for a pair that is part of the suite alone, not of the run.
    """

    ahead: str
    behind: str
    place: str
    lead: float
    p: float | None
    identical: bool = False
    shown: bool = True


def judged(run: MeasuredRun, cells: Cells, own: int) -> Iterator[Claim]:
    """Return every claim of a run with its pairs: the problems where the order holds, fails or is undecided.

    Tests are paired; Holm's method runs over all pairs of all claims, so that no theorem is contradicted by chance. The
    first `own` rows are those of the run; pairs with others count, and are not shown. If nothing is stored of a row its
    pairs count with p = 1, as do pairs whose difference is that of examples on the decision threshold.
    """
    found = [list(_pairs(run, cells, claim, own)) for claim in run.claims]
    adjusted = iter(holm([pair.p for pairs in found for pair in pairs]))
    for claim, pairs in zip(run.claims, found, strict=True):
        about = {each.name: getattr(claim, each.name) for each in dataclasses.fields(ClaimedOrder)}
        yield Claim(**about, pairs=_sorted([(pair, next(adjusted)) for pair in pairs]))


def _pairs(run: MeasuredRun, cells: Cells, claim: ClaimedOrder, own: int) -> Iterator[Pair]:
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
            one, other = members[better], members[worse]
            if run.cells[one].is_left_out or run.cells[other].is_left_out:
                yield Pair(better, worse, "", 0.0, 1.0, shown=False)
                continue
            values = [cells[place].get(claim.metric) for place in (one, other)]
            found = compared(run, values[0], values[1], metric) if values[0] and values[1] else None
            if found is not None:
                place, shown = text(run.cells[one].vary, others), max(one, other) < own
                p = 1.0 if is_chance((run.cells[one], run.cells[other]), claim.metric, found) else found.p
                yield Pair(better, worse, place, sign * found.difference, p, found.identical, shown)


def _sorted(pairs: Sequence[tuple[Pair, float | None]]) -> tuple[ClaimedPair, ...]:
    """Return one entry for each pair of neighbors, in the order of the claim."""
    found: dict[tuple[str, str], tuple[list[str], list[str], list[str], list[str]]] = {}
    for pair, p in pairs:
        if not pair.shown:
            continue
        holds, fails, unclear, same = found.setdefault((pair.ahead, pair.behind), ([], [], [], []))
        sure = p is not None and p <= ALPHA
        (same if pair.identical else unclear if not sure else holds if pair.lead > 0 else fails).append(pair.place)
    return tuple(
        ClaimedPair(*names, tuple(holds), tuple(fails), tuple(unclear), tuple(same) or None)
        for names, (holds, fails, unclear, same) in found.items()
    )
