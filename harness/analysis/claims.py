"""Claimed orderings against what was measured: where each holds, where it fails, where nobody can tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from harness.analysis.pairing import text
from harness.analysis.samples import Measured
from harness.analysis.verdicts import ALPHA, compared
from harness.statistics.paired import holm

Cells = Sequence[Mapping[str, Measured]]


class Pair(NamedTuple):
    """Two neighbours of a claimed order at one place: how far the second is behind there, and how surely not equal."""

    ahead: str
    behind: str
    place: str
    lead: float
    p: float | None


def judged(run: Mapping[str, Any], cells: Cells) -> list[dict[str, Any]]:
    """Every claim of a run with its `pairs`: ahead, behind, and the places where that `holds`, `fails` or is `open`.

    Paired tests; Holm runs over all pairs of all claims, so that no theorem is called broken by chance.
    """
    claims = run.get("claims") or []
    found = [list(_pairs(run, cells, claim)) for claim in claims]
    adjusted = iter(holm([pair.p for pairs in found for pair in pairs]))
    return [
        {**claim, "pairs": _sorted([(pair, next(adjusted)) for pair in pairs])}
        for claim, pairs in zip(claims, found, strict=True)
    ]


def _pairs(run: Mapping[str, Any], cells: Cells, claim: Mapping[str, Any]) -> Iterator[Pair]:
    metric = next(each for each in run["measure"] if each["label"] == claim["metric"])
    sign = 1 if metric["better"] == "higher" else -1
    others = [axis for axis, labels in run["axes"].items() if axis != claim["axis"] and len(labels) > 1]
    rows: dict[tuple[str, ...], dict[str, int]] = {}
    for index, cell in enumerate(run["cells"]):
        vary = cell["vary"]
        if all(vary.get(axis) in entries for axis, entries in claim["where"].items()):
            rows.setdefault(tuple(str(vary.get(axis)) for axis in others), {})[str(vary.get(claim["axis"]))] = index
    for better, worse in pairwise(map(str, claim["order"])):
        for members in rows.values():
            if better not in members or worse not in members:
                continue
            one, other = (cells[members[name]].get(claim["metric"]) for name in (better, worse))
            found = compared(run, one, other, metric) if one and other else None
            if found is not None:
                place = text(run["cells"][members[better]]["vary"], others)
                yield Pair(better, worse, place, sign * found.difference, found.p)


def _sorted(pairs: Sequence[tuple[Pair, float | None]]) -> list[dict[str, Any]]:
    """One entry for every two neighbours, in the order of the claim."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for pair, p in pairs:
        named = {"ahead": pair.ahead, "behind": pair.behind, "holds": [], "fails": [], "open": []}
        entry = found.setdefault((pair.ahead, pair.behind), named)
        sure = p is not None and p <= ALPHA
        entry["open" if not sure else "holds" if pair.lead > 0 else "fails"].append(pair.place)
    return list(found.values())
