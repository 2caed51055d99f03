"""The answer in sentences: the result in the primary metric, its certainty, and what would decide the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from harness.analysis.pairing import competing, is_control, naming, problems, text
from harness.report import asked, comparisons, words
from harness.report.claimed import claimed, sentences
from harness.report.number_format import Estimate, told
from harness.report.parts import level
from harness.report.sentence import Group, Sentence
from harness.report.view import whole
from harness.report.words import NO_REASON, counted, reason
from harness.results import (
    MetricInfo,
    MetricValue,
    Rank,
    ReasonKind,
    Row,
    Run,
    Statement,
    StatementKind,
    Status,
)

NAMED = 3
"""Number of problems, names or reasons that are written out; the others are counted."""
LISTED = 4
"""Number of names of a list in the answer of a record; a report writes out all."""
_LEADING = (Rank.BEST, Rank.TIED)
ENDS: Mapping[Status, str] = MappingProxyType(
    {Status.FAILED: "failed", Status.CRASHED: "crashed", Status.TIMEOUT: "timed out", Status.OOM: "ran out of memory"}
)
PARETO = "pareto"
"""Protocol of a run that `bench pareto` makes of two."""


def answer(run: Run) -> str:
    """Return the answer to the suite's question, with the first names of every list; empty if there is none."""
    return " ".join(sentence.text(LISTED) for part in parts(run) for sentence in part)


class Parts(NamedTuple):
    """Sentences of the answer: on the shard, the parts of the question, the first metric, claims, what is missing."""

    shard: list[Sentence]
    asked: list[Sentence]
    compared: list[Sentence]
    claims: list[Sentence]
    missing: list[Sentence]


def parts(run: Run) -> Parts:
    """Return the sentences of the answer by what they are about."""
    return _Conclusion(run).parts()


def lines(run: Run) -> list[str]:
    """Return the sentences of the answer, in reading order and whole."""
    return [" " * sentence.indent + sentence.text() for part in parts(run) for sentence in part]


def statements(run: Run) -> tuple[Statement, ...]:
    """Return the answer as data: statements on every row that it writes out, names or counts."""
    return tuple(_Conclusion(run).statements())


class _Conclusion:
    """Result of a run in its primary metric: comparisons by problem, or ranks."""

    def __init__(self, run: Run) -> None:
        self.run = whole(run)
        self.rows, self.places = naming(self.run)
        self.metric = self.run.primary if self.run.metrics else None
        judges = self.metric is not None and self.metric.higher_is_better is not None and self.measured(self.metric)
        self.compares = judges and self.run.baseline is not None
        self.ranks = judges and self.run.baseline is None

    def measured(self, metric: MetricInfo) -> bool:
        """Return whether any row has a value of the metric."""
        return any(metric.label in row.metrics for row in self.run.cells)

    def parts(self) -> Parts:
        """Return whole sentences; on the first metric only where no part of the question is answered."""
        primary = self._primary(self.metric) if self.metric is not None and not self.run.answers else []
        claims, missing = map(Sentence, sentences(self.run)), map(Sentence, self._unmeasured())
        shard = map(Sentence, words.shard(self.run.shard))
        return Parts([*shard], asked.sentences(self.run), [*primary], [*claims], [*missing])

    def _primary(self, metric: MetricInfo) -> Iterable[Sentence]:
        if not self.measured(metric):
            return [Sentence(f"No row has a value of {metric.label}.")]
        if metric.higher_is_better is None:
            why = "but it only describes: neither direction is better"
            return [Sentence(f"{metric.label} comes first in `metrics`, {why}.")]
        if self.run.protocol == PARETO:
            return [Sentence(self._front(metric))]
        return comparisons.sentences(self.run, metric) if self.compares else self._bests(metric)

    def statements(self) -> Iterator[Statement]:
        """Yield the same as data, row by row."""
        for each in comparisons.compared(self.run, self.run.primary) if self.compares else ():
            verdict = each.entry.verdict
            kind = StatementKind.NO_VERDICT if verdict is None else StatementKind(verdict)
            yield self._statement(kind, each.row, each.entry.baseline)
        for row in comparisons.leaders(self.run, self.run.primary) if self.compares else ():
            yield self._statement(StatementKind.BEST, row)
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

    def _bests(self, metric: MetricInfo) -> list[Sentence]:
        lines: list[Sentence] = []
        winners = []
        for members in problems(self.run, self.run.cells).values():
            ranks: dict[Rank, list[Row]] = {rank: [] for rank in Rank}
            for row in (self.run.cells[number] for number in members):
                if rank := row.best.get(metric.label):
                    ranks[rank].append(row)
            if any(ranks.values()):
                winners.append(self._names(ranks[Rank.BEST]) or "one that was left out")
                lines.append(self._best(metric, ranks))
            elif doubtful := self._doubtful(metric, members):
                winners.append("none")
                lines.append(Sentence(doubtful))
        rest = Counter(winners[NAMED:])
        counts = ", ".join(f"{name} in {n}" for name, n in rest.most_common(NAMED))
        others = [Sentence(f"Best in the {rest.total()} other problems: {counts}.")] if rest else []
        return [*self._alike(metric), *lines[:NAMED], *others]

    def _alike(self, metric: MetricInfo) -> list[Sentence]:
        """Return a sentence on the rows that are best, or tied with the best, in all of several problems."""
        groups = [[self.run.cells[k] for k in members] for members in problems(self.run, self.run.cells).values()]
        leading = [[self.row(row) for row in rows if row.best.get(metric.label) in _LEADING] for rows in groups]
        if len(groups) < 2 or not all(leading):
            return []
        names = [name for name in leading[0] if all(name in others for others in leading)]
        where = (
            f"both problems in {metric.label}" if len(groups) == 2 else f"all {len(groups)} problems in {metric.label}"
        )
        if not names:
            return [Sentence(f"None is best or tied with the best in {where}.")]
        verb = "is" if len(names) == 1 else "are"
        return [Sentence(f"{_and(names[:NAMED])} {verb} best or tied with the best in {where}.")]

    def _doubtful(self, metric: MetricInfo, members: Sequence[int]) -> str:
        """Say which row keeps all others from a rank: its mean is the best, over fewer seeds or by chance."""
        sign = 1 if metric.higher_is_better else -1
        rows = [self.run.cells[number] for number in members]
        rows = [row for row in rows if not row.excluded and not is_control(self.run, row)]
        means = [(row, row.metrics[metric.label].mean) for row in rows if metric.label in row.metrics]
        known = [(row, mean) for row, mean in means if mean is not None]
        if len(known) < 2:
            return ""
        row = max(known, key=lambda pair: sign * pair[1])[0]
        found = row.metrics[metric.label].why
        lost = found is not None and found.kind is ReasonKind.NOT_FINITE
        why = "leaves out seeds without a finite value" if lost else "rests on examples at the decision threshold"
        return f"None is best in {metric.label}{self.place(row)}: the mean of {self.row(row)} is the best, and {why}."

    def _best(self, metric: MetricInfo, ranks: Mapping[Rank, Sequence[Row]]) -> Sentence:
        """Describe the best on one problem, those tied with it, and the number of those beaten."""
        best, tied, beaten = (ranks[rank] for rank in (Rank.BEST, Rank.TIED, Rank.BEATEN))
        rest = [Group("tied with the best", tuple(map(self.row, tied)))] if tied else []
        rest += [Group("", (f"{len(beaten)} beaten",), lead=True)] if beaten else []
        if not best:
            place = self.place((*tied, *beaten)[0])
            lost = Group("", (f"the best in {metric.label}{place} is a row that was left out",), lead=True)
            return Sentence("", (lost, *rest))
        found = best[0].metrics[metric.label]
        verb = "is" if len(best) == 1 else "are"
        said = "equal" if level(best, metric.label) and not rest else "best"
        how = f"{verb} {said}" if len(best) > 1 or rest else "was measured"
        where = f"in {metric.label}{self.place(best[0])} ({_measured(found, metric)})"
        return Sentence("", (Group("", (f"{self._names(best)} {how} {where}",), lead=True), *rest))

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


def _why(row: Row) -> str:
    return NO_REASON if row.why is None else reason(row.why)


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _measured(found: MetricValue, metric: MetricInfo) -> str:
    """Return a mean with its interval: `0.96 nats, 0.94 to 0.98`."""
    if found.mean is None:
        return "no number"
    middle, ends = told(Estimate(found.mean, found.low, found.high), metric.unit)
    return f"{middle}, {ends or 'no interval'}"
