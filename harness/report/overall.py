"""Contenders over all problems: a sentence of the answer, and texts for tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from harness.report import evidence
from harness.report.number_format import Estimate, decimals, number
from harness.report.sentence import Group, Sentence
from harness.results import MetricInfo, Overall, Pooled, Run, Standing, Verdict

NAMED = 3
"""Number of contenders with a pooled verdict whose numbers are written out; others are counted."""
FEWEST = 3
"""Number of problems from which undecided pooled differences are told."""
_WORDS: Mapping[Verdict | None, str] = MappingProxyType({Verdict.BETTER: "better", Verdict.WORSE: "worse"})


def of(run: Run, name: str) -> Overall | None:
    """Return a metric over all problems; None for a single problem and without a baseline."""
    return next((each for each in run.overall if each.metric == name), None)


def sentences(run: Run, metric: MetricInfo) -> list[Sentence]:
    """Return how contenders differ from the baseline over all problems, the pooled verdicts first; empty if unknown.

    Two problems say almost nothing about others: without a pooled verdict their own are all that is told.
    """
    found = of(run, metric.label)
    each = [(one, one.pooled) for one in found.standings if one.pooled] if found else []
    decided = any(pooled.verdict in _WORDS for _, pooled in each)
    if found is None or not each or (found.problems < FEWEST and not decided):
        return []
    groups = []
    for verdict, word in _WORDS.items():
        sure = [pair for pair in each if pair[1].verdict is verdict]
        sure.sort(key=lambda pair: -abs(_effect(pair[1])))
        for one, pooled in sure[:NAMED]:
            groups.append(Group("", (f"{one.row} {_told(metric, pooled, found)}",), lead=True))
        groups += [Group(f"{word} too", tuple(one.row for one, _ in sure[NAMED:]))] if sure[NAMED:] else []
    if equal := [one.row for one, pooled in each if pooled.verdict is Verdict.EQUIVALENT]:
        groups.append(Group("equivalent", tuple(equal)))
    if rest := [pair for pair in each if pair[1].verdict not in (*_WORDS, Verdict.EQUIVALENT)]:
        rest.sort(key=lambda pair: round(pair[1].p or 0.0, 9))
        groups.append(Group("undecided", tuple(one.row for one, _ in rest), f" ({_told(metric, rest[0][1], found)})"))
    names = {one.baseline for one, _ in each}
    against = f"against {names.pop()}" if len(names) == 1 else "each against its own baseline"
    return [Sentence(f"In {metric.label}, {against}, over {found.problems} problems", tuple(groups))]


def _told(metric: MetricInfo, pooled: Pooled, found: Overall) -> str:
    """Return `better on 3 of 4 problems, worse on 1, pooled +0.0124 (0.0078 to 0.0169)`, the pooled verdict first."""
    counts = {Verdict.BETTER: pooled.better, Verdict.WORSE: pooled.worse}
    order = sorted(counts, key=lambda verdict: (verdict is not pooled.verdict, verdict is Verdict.WORSE))
    told = [verdict for verdict in order if counts[verdict] or verdict is pooled.verdict]
    noun = "compared problems" if pooled.problems < found.problems else "problems"
    said = [f"{_WORDS[verdict]} on {counts[verdict]}" for verdict in told]
    said[:1] = [f"{said[0]} of {pooled.problems} {noun}"] if said else []
    return ", ".join([*said, f"pooled {_size(metric, pooled)}"])


def _size(metric: MetricInfo, pooled: Pooled) -> str:
    """Return `+0.0124 (0.0078 to 0.0169)`, or `times 1.24 (1.13 to 1.36)`."""
    if pooled.ratio is None:
        return evidence.size(metric, pooled)
    ratio, low, high = map(_ratio, (pooled.ratio.ratio, pooled.ratio.low, pooled.ratio.high))
    return f"times {ratio}{f' ({low} to {high})' if low else ' (no interval)'}"


def _ratio(value: float | None) -> str:
    """Format with three digits: the interval of a ratio is even in logarithms.

    >>> _ratio(27.5767), _ratio(1234.5), _ratio(None)
    ('27.6', '1234', '')
    """
    return "" if value is None else f"{value:.0f}" if value >= 999.5 else f"{value:.3g}"


def _effect(pooled: Pooled) -> float:
    """Sort key: the size of a difference or of a ratio's logarithm, without what rounding adds to equal ones."""
    size = abs(pooled.difference or 0.0) if pooled.ratio is None else abs(math.log(pooled.ratio.ratio))
    return float(f"{size:.9g}")


class Cell(NamedTuple):
    """Texts of a contender over all problems; empty where there is no number."""

    middle: str = ""
    low: str = ""
    high: str = ""
    rank: str = ""
    verdict: Verdict | None = None

    @property
    def interval(self) -> str:
        """Return ` (LOW to HIGH)`."""
        return f" ({self.low} to {self.high})" if self.low else ""


def cells(run: Run, metric: MetricInfo, unit: float, labels: Sequence[str]) -> list[Cell]:
    """Return the texts of contenders, differences in a unit, all with the same decimals; empty if there are none."""
    found = of(run, metric.label)
    if found is None:
        return []
    standings = {each.row: each for each in found.standings}
    items = [_estimate(standings.get(label), unit) for label in labels]
    places = decimals([item for item in items if item], significant=3)
    return [_cell(standings.get(label), item, places) for label, item in zip(labels, items, strict=True)]


def _estimate(standing: Standing | None, unit: float) -> Estimate | None:
    pooled = standing.pooled if standing else None
    if pooled is None or pooled.difference is None:
        return None
    return Estimate(pooled.difference, pooled.low, pooled.high).divided(unit)


def _cell(standing: Standing | None, item: Estimate | None, places: int) -> Cell:
    if standing is None:
        return Cell()
    rank = "" if standing.mean_rank is None else f"{standing.mean_rank:.2f}"
    pooled = standing.pooled
    if pooled is not None and pooled.ratio is not None:
        ratio, low, high = map(_ratio, (pooled.ratio.ratio, pooled.ratio.low, pooled.ratio.high))
        return Cell(f"×{ratio}", low, high, rank, pooled.verdict)
    if pooled is None or item is None:
        return Cell(rank=rank)
    ends = ["" if end is None else number(end, places) for end in (item.low, item.high)]
    return Cell(number(item.mean, places, signed=True), ends[0], ends[1], rank, pooled.verdict)
