"""The answer in sentences: the result in the primary metric, its certainty, and what would decide the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from harness.analysis.pairing import competing, naming, problems, text
from harness.report import asked
from harness.report.claimed import claimed, sentences
from harness.report.parts import level
from harness.report.view import whole
from harness.report.words import NO_REASON, about, adjusted, counted, reason, singular
from harness.results import (
    Comparison,
    IntervalKind,
    MetricInfo,
    Rank,
    ReasonKind,
    Row,
    Run,
    Statement,
    StatementKind,
    Status,
    Verdict,
)

NAMED = 3
"""Number of problems, names or reasons that are written out; the others are counted."""
SPELLED: Mapping[Verdict, int] = MappingProxyType(
    {Verdict.BETTER: 3, Verdict.WORSE: 1, Verdict.EQUIVALENT: 2, Verdict.IDENTICAL: 2, Verdict.UNDECIDED: 2}
)
"""Number of comparisons of each verdict that are written out."""
LISTED = 12
"""Number of further comparisons of a verdict that are named; if there are more they are counted."""
ENDS: Mapping[Status, str] = MappingProxyType(
    {Status.FAILED: "failed", Status.CRASHED: "crashed", Status.TIMEOUT: "timed out", Status.OOM: "ran out of memory"}
)
PARETO = "pareto"
"""Protocol of a run that `bench pareto` makes of two."""


class Compared(NamedTuple):
    """A row with its comparison in the primary metric; `number` is the row's place among all rows."""

    number: int
    row: Row
    entry: Comparison


def answer(run: Run) -> str:
    """Return the answer to the suite's question; empty if there is none."""
    return " ".join(lines(run))


def lines(run: Run) -> list[str]:
    """Return the sentences of the answer.

    They are on the parts of the question, else on the first metric, then on the claims, then on what is missing.
    """
    return [sentence for sentence in _Conclusion(run).sentences() if sentence]


def statements(run: Run) -> tuple[Statement, ...]:
    """Return the answer as data: statements on every row that it writes out, names or counts."""
    return tuple(_Conclusion(run).statements())


def spelled(run: Run) -> frozenset[int]:
    """Return the places, among all rows, of undecided rows for which the answer states what would decide them."""
    found = _Conclusion(run).groups.get(Verdict.UNDECIDED, [])
    return frozenset(each.number for each in found[: SPELLED[Verdict.UNDECIDED]])


class _Conclusion:
    """Result of a run in its primary metric: comparisons by verdict, or ranks by problem, the most certain first."""

    def __init__(self, run: Run) -> None:
        self.run = whole(run)
        self.rows, self.places = naming(self.run)
        self.metric = self.run.primary if self.run.metrics else None
        judges = self.metric is not None and self.metric.higher_is_better is not None and self.measured(self.metric)
        self.compares = judges and self.run.baseline is not None
        self.ranks = judges and self.run.baseline is None
        self.groups = self._groups(self.metric) if self.metric is not None and self.compares else {}

    def measured(self, metric: MetricInfo) -> bool:
        """Return whether any row has a value of the metric."""
        return any(metric.label in row.metrics for row in self.run.cells)

    def _groups(self, metric: MetricInfo) -> dict[Verdict | None, list[Compared]]:
        groups: dict[Verdict | None, list[Compared]] = {}
        for number, row in enumerate(self.run.cells):
            entry = row.against.get(metric.label)
            if entry and not (entry.why and entry.why.kind is ReasonKind.CONTROL):
                groups.setdefault(entry.verdict, []).append(Compared(number, row, entry))
        for found in groups.values():
            found.sort(key=_order)
        return groups

    def sentences(self) -> Iterator[str]:
        """Yield whole sentences, in reading order."""
        yield from asked.sentences(self.run)
        if self.metric is not None and not self.run.answers:
            yield from self._primary(self.metric)
        yield from sentences(self.run)
        yield from self._unmeasured()

    def _primary(self, metric: MetricInfo) -> Iterable[str]:
        if not self.measured(metric):
            return [f"No row has a value of {metric.label}."]
        if metric.higher_is_better is None:
            return [f"{metric.label} comes first in `metrics`, but it only describes: neither direction is better."]
        if self.run.protocol == PARETO:
            return [self._front(metric)]
        return self._verdicts(metric) if self.compares else self._bests(metric)

    def statements(self) -> Iterator[Statement]:
        """Yield the same as data, in the same order."""
        for verdict in (*SPELLED, None):
            for each in self.groups.get(verdict, ()):
                kind = StatementKind.NO_VERDICT if verdict is None else StatementKind(verdict)
                yield self._statement(kind, each.row, each.entry.baseline)
        for row in self.run.cells if self.ranks else ():
            if rank := row.best.get(self.run.primary.label):
                yield self._statement(StatementKind(rank), row)
        yield from claimed(self.run)
        for row in self.run.cells:
            if row.status is not Status.OK:
                yield self._statement(StatementKind(row.status), row)

    def _statement(self, kind: StatementKind, row: Row, other: str | None = None) -> Statement:
        problem = {axis: row.vary.get(axis) for axis in self.places}
        return Statement(kind, self.row(row), self.run.primary.label if self.run.metrics else "", problem, other)

    def _verdicts(self, metric: MetricInfo) -> Iterator[str]:
        if not self.groups:
            yield f"Nothing was compared in {metric.label}: only the baseline's row was measured."
            return
        if set(self.groups) - {None} == {Verdict.UNDECIDED}:
            yield f"No row differs significantly from its baseline in {metric.label}."
        yield self._list(Verdict.BETTER, lambda each: self._decided(metric, "beats", each), "better too")
        yield self._list(Verdict.WORSE, lambda each: self._decided(metric, "loses to", each), "worse too")
        yield self._list(Verdict.EQUIVALENT, lambda each: self._equivalent(metric, each), "equivalent too")
        yield self._list(Verdict.IDENTICAL, self._identical, "identical to their baselines too")
        yield self._list(Verdict.UNDECIDED, lambda each: self._open(metric, each), "undecided")
        yield from _silent(self.groups.get(None, ()))

    def _list(self, verdict: Verdict, say: Callable[[Compared], str], rest: str) -> str:
        """Join the first few of a verdict in full; the others are counted and, unless too many, named."""
        found = self.groups.get(verdict, [])
        said = [say(each) for each in found[: SPELLED[verdict]]]
        more = [each.row for each in found[len(said) :]]
        named = f": {self._where(more)}" if 0 < len(more) <= LISTED else ""
        said += [f"{len(more)} more {'is' if len(more) == 1 else 'are'} {rest}{named}"] if more else []
        return "; ".join(said) + "." if said else ""

    def _where(self, rows: Sequence[Row]) -> str:
        """Join every row with its places: `a on x and y, b on x`."""
        places: dict[str, list[str]] = {}
        for row in rows:
            places.setdefault(self.row(row), []).append(text(row.vary, self.places))
        return ", ".join(f"{row} on {_and(found)}" if any(found) else row for row, found in places.items())

    def _decided(self, metric: MetricInfo, verb: str, each: Compared) -> str:
        entry = each.entry
        size, low, high, shown = entry.difference, entry.low, entry.high, f"{_number(abs(entry.difference or 0))}"
        if entry.ratio is not None:
            low, high, shown = entry.ratio.low, entry.ratio.high, f"a factor of {_number(entry.ratio.ratio)}"
        elif size is not None and size < 0:
            low, high = high and -high, low and -low
        unit = "" if entry.ratio is not None else _unit(metric)
        numbers = f"{shown}{unit} (95 %: {_range(low, high)}; {adjusted(entry.p_holm)})"
        who = f"{self.row(each.row)} {verb} {entry.baseline} in {metric.label}{self.place(each.row)}"
        return f"{who} by {numbers}{self._fewer(entry)}"

    def _equivalent(self, metric: MetricInfo, each: Compared) -> str:
        entry = each.entry
        numbers = f"{_number(entry.difference)}{_unit(metric)}, {_range(entry.low, entry.high)}"
        who = f"{self.row(each.row)} is equivalent to {entry.baseline} in {metric.label}{self.place(each.row)}"
        return f"{who} within the margin (difference {numbers}){self._fewer(entry)}"

    def _identical(self, each: Compared) -> str:
        where = f"in {self.run.primary.label}{self.place(each.row)}"
        return f"{self.row(each.row)} is identical to {each.entry.baseline} {where}"

    def _open(self, metric: MetricInfo, each: Compared) -> str:
        entry = each.entry
        size = f"{_number(entry.difference)}{_unit(metric)}"
        numbers = f"{size}, {_range(entry.low, entry.high)}, {adjusted(entry.p_holm)}"
        who = f"{self.row(each.row)} does not differ significantly from {entry.baseline}{self.place(each.row)}"
        return f"{who} (difference {numbers}){self._fewer(entry)}: {_decides(entry, self.run.replicates)}"

    def _fewer(self, entry: Comparison) -> str:
        """Say over how many seeds a difference is, where it is over fewer than asked for."""
        if not entry.partial or entry.why is None or entry.why.count is None or entry.why.total is None:
            return ""
        return f", over {entry.why.total - entry.why.count} of {entry.why.total} {self.run.replicates}"

    def _bests(self, metric: MetricInfo) -> list[str]:
        lines, winners = [], []
        for members in problems(self.run, self.run.cells).values():
            ranks: dict[Rank, list[Row]] = {rank: [] for rank in Rank}
            for row in (self.run.cells[number] for number in members):
                if rank := row.best.get(metric.label):
                    ranks[rank].append(row)
            if any(ranks.values()):
                winners.append(self._names(ranks[Rank.BEST]) or "one that was left out")
                lines.append(self._best(metric, ranks))
        rest = Counter(winners[NAMED:])
        counts = ", ".join(f"{name} in {n}" for name, n in rest.most_common(NAMED))
        return lines[:NAMED] + ([f"Best in the {rest.total()} other problems: {counts}."] if rest else [])

    def _best(self, metric: MetricInfo, ranks: Mapping[Rank, Sequence[Row]]) -> str:
        """Describe the best on one problem, those tied with it, and the number of those beaten."""
        best, tied, beaten = (ranks[rank] for rank in (Rank.BEST, Rank.TIED, Rank.BEATEN))
        rest = f"; tied with the best: {self._names(tied)}" if tied else ""
        rest += f"; {len(beaten)} beaten" if beaten else ""
        if not best:
            place = self.place((*tied, *beaten)[0])
            return f"The best in {metric.label}{place} is a row that was left out{rest}."
        found = best[0].metrics[metric.label]
        where = f"in {metric.label}{self.place(best[0])} ({_number(found.mean)}{_unit(metric)}"
        verb = "is" if len(best) == 1 else "are"
        said = "equal" if level(best, metric.label) and not rest else "best"
        how = f"{verb} {said}" if len(best) > 1 or rest else "was measured"
        return f"{self._names(best)} {how} {where}, {_range(found.low, found.high)}){rest}."

    def _front(self, metric: MetricInfo) -> str:
        axes = competing(self.run)
        front = [row for row in self.run.cells if row.best.get(metric.label) is Rank.BEST]
        names = dict.fromkeys(text(row.vary, axes) for row in front)
        return f"Not beaten in both somewhere: {', '.join(names)}."

    def _names(self, rows: Sequence[Row]) -> str:
        names = [self.row(row) for row in rows[:NAMED]]
        return _and(names + ([f"{len(rows) - NAMED} more"] if len(rows) > NAMED else []))

    def _unmeasured(self) -> Iterator[str]:
        lost = [row for row in self.run.cells if row.status in ENDS]
        said = [f"{self.row(row)}{self.place(row)} {ENDS[row.status]} ({_why(row)})" for row in lost[:NAMED]]
        said += [f"{len(lost) - NAMED} more did not finish"] if len(lost) > NAMED else []
        if said:
            yield "; ".join(said) + "."
        if skipped := sum(row.status is Status.SKIPPED for row in self.run.cells):
            yield f"{counted(skipped, 'row')} {'were' if skipped > 1 else 'was'} skipped."

    def row(self, row: Row) -> str:
        """Return the name of a row within its problem."""
        return text(row.vary, self.rows)

    def place(self, row: Row) -> str:
        """Return ` on PROBLEM` if there are several problems."""
        where = text(row.vary, self.places)
        return f" on {where}" if where else ""


def _order(each: Compared) -> tuple[float, float]:
    """Sort key: the most certain first; undecided comparisons by the seeds that would decide them."""
    seeds = each.entry.needed.seeds if each.entry.verdict is Verdict.UNDECIDED else None
    return (seeds if seeds is not None else float("inf"), each.entry.p or 0.0)


def _decides(entry: Comparison, noun: str) -> str:
    """Describe what would decide a comparison if the observed difference is the true one; `noun` is seeds or blocks."""
    seeds, examples = entry.needed.seeds, entry.needed.examples
    if entry.p == 1 and seeds is None and examples is None:
        return "no difference was seen"
    if seeds is None and examples is None:
        also = " nor more test examples alone" if entry.interval is not IntervalKind.SEEDS else ""
        return f"{f'neither more {noun}' if also else f'no number of {noun}'}{also} would decide it"
    if seeds is None:
        return f"no number of {noun} decides it, about {about(examples or 0)} more test examples would"
    other = f" or {about(examples)} more test examples" if examples is not None else ""
    return f"needs about {about(seeds)} more {singular(noun) if seeds == 1 else noun}{other}"


def _silent(found: Sequence[Compared]) -> list[str]:
    """Return sentences on the number of comparisons without a verdict, by reason."""
    reasons = Counter(NO_REASON if each.entry.why is None else reason(each.entry.why) for each in found)
    return [
        f"{n} comparison{'s have' if n > 1 else ' has'} no verdict: {why}." for why, n in reasons.most_common(NAMED)
    ]


def _why(row: Row) -> str:
    return NO_REASON if row.why is None else reason(row.why)


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _unit(metric: MetricInfo) -> str:
    return f" {metric.unit}" if metric.unit else ""


def _range(low: float | None, high: float | None) -> str:
    return "no interval" if low is None or high is None else f"{_number(low)} to {_number(high)}"


def _number(value: float | None) -> str:
    return "no number" if value is None else f"{value:.3g}"
