"""Verdicts against the baseline and marks within a problem, one metric at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.pairing import Partner, naming, text
from harness.analysis.samples import Measured
from harness.statistics import ratios
from harness.statistics.paired import Difference, Needed, difference, holm, needed, same
from harness.statistics.unpaired import unpaired

ALPHA = 0.05
"""The chance of any false verdict among all comparisons of one metric."""

Cells = Sequence[Mapping[str, Measured]]


def against(
    run: Mapping[str, Any], cells: Cells, links: Sequence[Partner], metric: Mapping[str, Any]
) -> dict[int, Any]:
    """Cell number -> its comparison with the baseline, for every cell but the baseline's own that has the metric.

    Holm runs over all comparisons of the metric in the suite. Where a `margin` is given, a difference shown to be
    inside it is "same" even if it is not zero: the suite says that it does not matter. A metric that is compared by
    ratio has a margin of its own, and a difference that is not larger is never "better" or "worse", however sure.
    """
    label = metric["label"]
    found = {
        index: _compare(run, cells, index, link, metric)
        for index, link in enumerate(links)
        if label in cells[index] and link.index != index
    }
    tests = {index: each for index, (each, _) in found.items() if each is not None and _judged(run, each)}
    adjusted = dict(zip(tests, holm([each.p for each in tests.values()]), strict=True))
    margins = {index: _margin(run, cells, links[index], metric) for index in tests}
    equal = holm([same(each, margin) if (margin := margins[index]) else None for index, each in tests.items()])
    alike = dict(zip(tests, equal, strict=True))
    decided = sum(p is not None and p <= ALPHA for p in adjusted.values())
    entries = {}
    for index, (each, reason) in found.items():
        entry = _entry(run, index, links[index], each, reason)
        least = margins[index] if metric.get("ratio") and index in margins else None
        verdict = _verdict(each, adjusted.get(index), alike.get(index), metric["better"], least or 0.0)
        more = (
            needed(each, ALPHA / max(1, len(tests) - decided))
            if each and verdict == "undecided"
            else Needed(None, None)
        )
        more = Needed(0, 0) if verdict in ("better", "worse", "same") else more
        entry |= {"p": each.p if each and index in tests else None, "p_holm": adjusted.get(index), "family": len(tests)}
        entry |= _ratio(cells, links[index], each, metric)
        if verdict == "undecided" and (adjusted[index] or 0) <= ALPHA:
            more, entry["reason"] = Needed(None, None), "sure, but too small to matter"
        entries[index] = entry | {"verdict": verdict, "needed": {"seeds": more.seeds, "examples": more.examples}}
    return entries


def marks(run: Mapping[str, Any], cells: Cells, members: Sequence[int], metric: Mapping[str, Any]) -> dict[int, str]:
    """Cell number -> "best", "tied" (not told apart from the best under Holm within the problem) or "beaten".

    A cell with a seed that has no finite value has no mark: what is left of it is not its mean.
    """
    label, sign = metric["label"], 1 if metric["better"] == "higher" else -1
    ranked = [index for index in members if label in cells[index] and not unranked(run["cells"][index])]
    means = {index: sign * _typical(cells[index][label], metric) for index in ranked}
    means = {index: mean for index, mean in means.items() if math.isfinite(mean)}
    if not means:
        return {}
    best = max(means, key=lambda index: means[index])
    others = [index for index in means if means[index] < means[best]]
    ps = []
    for index in others:
        found = _difference(cells[index][label], cells[best][label], run["interval"], metric)
        ps.append(found.p if found and _judged(run, found) and sign * found.difference < 0 else None)
    beaten = {index for index, p in zip(others, holm(ps), strict=True) if p is not None and p <= ALPHA}
    return {i: "beaten" if i in beaten else "tied" if i in others else "best" for i in means}


def _difference(one: Measured, other: Measured, kind: str, metric: Mapping[str, Any]) -> Difference | None:
    """The paired difference over the seeds that both have; None where there is no such seed."""
    seeds = [seed for seed in one.seeds if seed in set(other.seeds)]
    if metric.get("ratio") is not None and seeds:
        return ratios.difference(one.sample(seeds), other.sample(seeds))
    return difference(one.sample(seeds), other.sample(seeds), kind) if seeds else None


def compared(run: Mapping[str, Any], one: Measured, other: Measured, metric: Mapping[str, Any]) -> Difference | None:
    """The paired difference of two cells; None where nothing can be said of it."""
    found = _difference(one, other, run["interval"], metric)
    return found if found is not None and _judged(run, found) else None


def _typical(one: Measured, metric: Mapping[str, Any]) -> float:
    """What a cell is ranked by: its mean, or what is typical of a metric that is compared by ratio."""
    return float(one.values.mean()) if metric.get("ratio") is None else ratios.interval(one.sample()).mean


def _judged(run: Mapping[str, Any], found: Difference) -> bool:
    """Whether the test says something about the methods: examples alone, unasked, say nothing about other seeds."""
    return found.p is not None and (found.kind != "examples" or run["interval"] == "examples")


def _compare(
    run: Mapping[str, Any], cells: Cells, index: int, link: Partner, metric: Mapping[str, Any]
) -> tuple[Difference | None, str | None]:
    """The difference of a cell to its partner, and what a reader must know about it or about its absence."""
    if link.index is None:
        return None, link.reason
    label, partner = metric["label"], run["cells"][link.index]
    if partner["status"] != "ok":
        return None, f"the baseline's row is {partner['status']}: {partner.get('reason')}"
    if reason := unranked(run["cells"][index]) or unranked(partner, "the baseline's row is "):
        return None, reason
    if label not in cells[link.index]:
        return None, f"the baseline's row has no {label}"
    one, other = cells[index][label], cells[link.index][label]
    apart = unpaired if metric.get("ratio") is None else ratios.unpaired
    alone = label in run.get("unpaired", ())
    found = apart(one.sample(), other.sample()) if alone else _difference(one, other, run["interval"], metric)
    if found is None or found.pairs == 0:
        return None, "no seed has a finite value in both rows"
    return found, _caveat(run, found)


def _caveat(run: Mapping[str, Any], found: Difference) -> str | None:
    if not _judged(run, found):
        return "one seed says nothing about other seeds" if found.pairs == 1 else "the spread is not finite"
    if math.isnan(found.low):
        return f"the same difference at all of only {found.pairs} seeds: its spread is unknown"
    if found.dropped:
        return f"{found.dropped} of {found.pairs + found.dropped} seeds left out: not finite in one of the two rows"
    return None


def _ratio(cells: Cells, link: Partner, found: Difference | None, metric: Mapping[str, Any]) -> dict[str, Any]:
    """Of a metric that is compared by ratio, the ratio to the baseline."""
    if metric.get("ratio") is None or found is None or link.index is None:
        return {}
    return {"ratio": ratios.as_ratio(found, cells[link.index][metric["label"]].sample())}


def unranked(row: Mapping[str, Any], start: str = "") -> str | None:
    """Why a row takes no part in any comparison, or None."""
    return f"{start}not ranked: {row['unranked']}" if row.get("unranked") else None


def _margin(run: Mapping[str, Any], cells: Cells, link: Partner, metric: Mapping[str, Any]) -> float | None:
    """In the metric's unit. A ratio's is a share of the baseline, the metric's own where the suite names none."""
    label, margin = metric["label"], run.get("margin")
    if isinstance(margin, Mapping):
        margin = margin.get(label, margin.get(label.split("(", 1)[0]))
    if metric.get("ratio") is None or link.index is None:
        return None if margin is None else float(margin)
    share = float(metric["ratio"] if margin is None else margin)
    return share * ratios.interval(cells[link.index][label].sample()).mean


def _verdict(
    found: Difference | None, p: float | None, equal: float | None, better: str, least: float = 0.0
) -> str | None:
    if found is None or p is None:
        return None
    if equal is not None and equal <= ALPHA:
        return "same"
    if p > ALPHA or abs(found.difference) <= least:
        return "undecided"
    return "better" if (found.difference > 0) == (better == "higher") else "worse"


def _entry(
    run: Mapping[str, Any], index: int, link: Partner, found: Difference | None, reason: str | None
) -> dict[str, Any]:
    shown = link.index is not None and text(run["cells"][link.index]["vary"], naming(run)[0])
    named = run["baseline"] if isinstance(run["baseline"], str) else " / ".join(map(str, run["baseline"].values()))
    numbers = (found.difference, found.low, found.high) if found else (None, None, None)
    entry = {"baseline": shown or named} | dict(zip(("difference", "low", "high"), numbers, strict=True))
    return entry | {"interval": found.kind if found else None, "reason": reason}
