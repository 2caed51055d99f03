"""Comparisons with the baseline in one metric, as sentences: first what holds in all problems, then problem by problem.

Of many problems each contender has a sentence instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from harness.analysis.pairing import naming, text
from harness.report import overall
from harness.report.evidence import decides, fewer, size
from harness.report.number_format import decimals, estimate
from harness.report.sentence import Group, Sentence
from harness.report.words import NO_REASON, counted, reason
from harness.results import Comparison, MetricInfo, Rank, ReasonKind, Row, Run, Verdict

PROBLEMS = 6
"""Number of problems up to which each has a sentence; of more, each contender has one."""
NAMED = 4
"""Number of reasons that are named; others are counted."""
CONTENDERS = 6
"""Number of contenders that have a sentence, of many problems; others are counted."""
_WORDS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.BETTER: "better",
        Verdict.WORSE: "worse",
        Verdict.EQUIVALENT: "equivalent",
        Verdict.IDENTICAL: "identical",
        Verdict.UNDECIDED: "undecided",
    }
)
"""The words of verdicts, in the order in which they are told."""
_DECIDED = (Verdict.BETTER, Verdict.WORSE)


class Compared(NamedTuple):
    """A row with its comparison in the metric."""

    row: Row
    entry: Comparison


class _Problem(NamedTuple):
    """A problem with its comparisons, and the row that is best alone: none other is tied with it."""

    place: str
    members: list[Compared]
    leader: Row | None


def compared(run: Run, metric: MetricInfo) -> list[Compared]:
    """Return every row that is compared with its baseline; controls stand beside the contenders."""
    found = [Compared(row, row.against[metric.label]) for row in run.cells if metric.label in row.against]
    return [each for each in found if not (each.entry.why and each.entry.why.kind is ReasonKind.CONTROL)]


def sentences(run: Run, metric: MetricInfo) -> Iterator[Sentence]:
    """Yield what the comparisons in a metric show."""
    found = compared(run, metric)
    verdicts = {each.entry.verdict for each in found} - {None}
    yield from overall.sentences(run, metric)
    if not found:
        yield Sentence(f"Nothing was compared in {metric.label}: only the baseline's row was measured.")
    elif verdicts == {Verdict.UNDECIDED}:
        yield Sentence(f"No row differs significantly from its baseline in {metric.label}.")
    if verdicts:
        yield from _told(_Telling(run, metric, found))
    yield from _silent([each for each in found if each.entry.verdict is None])


def common(run: Run, metric: MetricInfo) -> Sentence | None:
    """Return what the comparisons in a metric show in all problems alike, or in the only one; None without any.

    The metric is not named.
    """
    found = compared(run, metric)
    if not {each.entry.verdict for each in found} - {None}:
        return None
    telling = _Telling(run, metric, found)
    groups = telling.groups(telling.problems[0]) if len(telling.problems) == 1 else telling.everywhere()
    return (
        Sentence(f"{telling.against[0].upper()}{telling.against[1:]}{telling.where}", tuple(groups)) if groups else None
    )


def leaders(run: Run, metric: MetricInfo) -> list[Row]:
    """Return the rows that sentences call best: each alone on its problem, among compared rows."""
    found = _Telling(run, metric, compared(run, metric)).problems
    return [problem.leader for problem in found if problem.leader is not None]


def _told(telling: _Telling) -> Iterator[Sentence]:
    if len(telling.problems) == 1:
        yield Sentence(telling.lead, tuple(telling.groups(telling.problems[0])))
        return
    if groups := telling.everywhere():
        yield Sentence(telling.lead + telling.where, tuple(groups))
    else:
        yield Sentence(f"{telling.lead}: no verdict holds{telling.where.removeprefix(',')}.")
    yield from telling.by_row() if len(telling.problems) > PROBLEMS else telling.by_problem()


class _Telling:
    """The comparisons of a run in one metric, by problem and by contender."""

    def __init__(self, run: Run, metric: MetricInfo, found: Sequence[Compared]) -> None:
        self.run, self.metric, self.found = run, metric, found
        self.rows, self.places = naming(run)
        groups = _grouped(found, self.places)
        self.problems = [_Problem(place, members, self._leader(place)) for place, members in groups.items()]
        self.contenders = _grouped(found, self.rows)
        self.alike = {name for name, members in self.contenders.items() if self._is_alike(members)}
        best = self._best_of_all()
        self.best = best if best in self.alike or best not in self.contenders else ""

    @property
    def lead(self) -> str:
        """Return the metric and the baseline: `In accuracy, against hinge`."""
        return f"In {self.metric.label}, {self.against}"

    @property
    def against(self) -> str:
        """Return the baseline."""
        names = dict.fromkeys(each.entry.baseline for each in self.found)
        return f"against {next(iter(names))}" if len(names) == 1 else "each against its own baseline"

    @property
    def where(self) -> str:
        """Return `, in all 4 problems`; nothing for one problem."""
        count = len(self.problems)
        return f", in {'both' if count == 2 else f'all {count}'} problems" if count > 1 else ""

    def everywhere(self) -> list[Group]:
        """Return the contenders with one verdict in all problems, and that which is best in all of them."""
        said = []
        if self.best:
            note = self._spread(self.contenders.get(self.best, []))
            said.append(Group("best", (f"{self.best} best",), note, lead=True))
        for verdict in _WORDS:
            named = (name for name in self.contenders if name in self.alike)  # in order, unlike a set
            groups = {name: self.contenders[name] for name in named if self._verdict(name) is verdict}
            names = sorted(groups, key=lambda name: _size(groups[name]), reverse=True)
            names = [name for name in names if name != self.best]
            if names:
                note = self._spread(groups[names[0]]) if verdict in _DECIDED else ""
                said.append(Group(_WORDS[verdict], tuple(names), note))
        return said

    def by_problem(self) -> Iterator[Sentence]:
        """Yield a sentence for each problem, on what does not hold in all of them."""
        for each in self.problems:
            if groups := self.groups(each, self.alike):
                yield Sentence(each.place, tuple(groups))

    def groups(self, problem: _Problem, told: set[str] | frozenset[str] = frozenset()) -> list[Group]:
        """Return the rows of a problem by verdict, the best first, then the clearest; without those `told` already."""
        said = []
        others = [each for each in problem.members if each.row is not problem.leader]
        name = text(problem.leader.vary, self.rows) if problem.leader is not None else self.best
        if problem.leader is not None and name != self.best:
            own = [each.entry for each in problem.members if each.row is problem.leader]
            note = f", {self._evidence(own[0])}" if own and own[0].verdict in _DECIDED else ""
            said.append(Group("best", (f"{name} best",), note, lead=True))
            others += [each for each in problem.members if each.row is problem.leader and not note]
        for verdict, word in _WORDS.items():
            found = sorted((each for each in others if each.entry.verdict is verdict), key=_clearness)
            names = [(name, each) for each in found if (name := text(each.row.vary, self.rows)) not in told]
            if names:
                note = self._evidence(names[0][1].entry)
                said.append(Group(word, tuple(name for name, _ in names), note and f" {note}"))
        return said

    def by_row(self) -> Iterator[Sentence]:
        """Yield a sentence for each contender without the same verdict everywhere, with the problems by verdict."""
        rest = sorted(((name, own) for name, own in self.contenders.items() if name not in self.alike), key=_lead)
        for name, members in rest[:CONTENDERS]:
            yield Sentence(f"{name}: {self._counted(members)}.")
        if others := rest[CONTENDERS:]:
            members = [each for _, group in others for each in group]
            yield Sentence(f"{counted(len(others), 'more contender')}: {self._counted(members, 'comparisons')}.")

    def _counted(self, members: Sequence[Compared], noun: str = "problems") -> str:
        """Return `better in 12 of 16 problems (between +0.01 and +0.30), undecided in 4`."""
        said: list[str] = []
        for verdict, word in _WORDS.items():
            own = [each for each in members if each.entry.verdict is verdict]
            if own:
                total = f" of {len(members)} {noun}" if not said else ""
                said.append(f"{word} in {len(own)}{total}{self._spread(own) if verdict in _DECIDED else ''}")
        return ", ".join(said) or "without a verdict"

    def _leader(self, place: str) -> Row | None:
        """Return the only row that is best on a problem, and tied with none."""
        rows = [row for row in self.run.cells if text(row.vary, self.places) == place]
        ranked = [row for row in rows if row.best.get(self.metric.label) in (Rank.BEST, Rank.TIED)]
        return ranked[0] if len(ranked) == 1 and len(rows) > 1 else None

    def _best_of_all(self) -> str:
        """Return the name of the row that is best alone in all of several problems; empty if there is none."""
        names = {text(each.leader.vary, self.rows) if each.leader else "" for each in self.problems}
        return names.pop() if len(names) == 1 and len(self.problems) > 1 else ""

    def _is_alike(self, members: Sequence[Compared]) -> bool:
        verdicts = {each.entry.verdict for each in members}
        return len(members) == len(self.problems) > 1 and len(verdicts) == 1 and None not in verdicts

    def _verdict(self, name: str) -> Verdict | None:
        return self.contenders[name][0].entry.verdict

    def _evidence(self, entry: Comparison) -> str:
        """Return the numbers of a comparison, or what would decide it, in brackets."""
        if entry.verdict is Verdict.IDENTICAL:
            return ""
        if entry.verdict is Verdict.UNDECIDED:
            return f"({decides(entry, self.run.replicates)}{fewer(self.run, entry)})"
        return f"{size(self.metric, entry)}{fewer(self.run, entry)}"

    def _spread(self, members: Sequence[Compared]) -> str:
        """Return the smallest and the largest difference of some comparisons in brackets."""
        ratios = [each.entry.ratio for each in members if each.entry.ratio is not None]
        items = [estimate(each) for each in ratios] or [estimate(each.entry) for each in members]
        known = sorted((item for item in items if item), key=lambda item: abs(item.mean))
        if not known:
            return ""
        places = decimals(known)
        ends = [f"{known[k].mean:{'' if ratios else '+'}.{places}f}" for k in (0, -1)]
        unit = f" {self.metric.unit}" if self.metric.unit and not ratios else ""
        word, link = ("", " to ") if ratios else ("between ", " and ")
        both = ends[0] if ends[0] == ends[1] else f"{word}{link.join(ends)}"
        return f" ({'times ' if ratios else ''}{both}{unit})"


def _grouped(found: Sequence[Compared], axes: Sequence[str]) -> dict[str, list[Compared]]:
    groups: dict[str, list[Compared]] = {}
    for each in found:
        groups.setdefault(text(each.row.vary, axes), []).append(each)
    return groups


def _clearness(each: Compared) -> tuple[float, float]:
    """Sort key: undecided comparisons by the seeds that would decide them, others by size."""
    entry = each.entry
    if entry.verdict is Verdict.UNDECIDED:
        return (entry.needed.seeds if entry.needed.seeds is not None else float("inf"), entry.p or 0.0)
    return (-abs(entry.difference or 0.0), entry.p or 0.0)


def _size(members: Sequence[Compared]) -> float:
    """Sort key: the smallest difference of a contender, without what rounding adds to equal ones."""
    return float(f"{min(abs(each.entry.difference or 0.0) for each in members):.9g}")


def _lead(item: tuple[str, Sequence[Compared]]) -> int:
    """Sort key: the number of problems on which a contender is worse, less those on which it is better."""
    verdicts = [each.entry.verdict for each in item[1]]
    return verdicts.count(Verdict.WORSE) - verdicts.count(Verdict.BETTER)


def _silent(found: Sequence[Compared]) -> list[Sentence]:
    """Return sentences on the number of comparisons without a verdict, by reason."""
    reasons = Counter(NO_REASON if each.entry.why is None else reason(each.entry.why) for each in found)
    return [
        Sentence(f"{n} comparison{'s have' if n > 1 else ' has'} no verdict: {why}.")
        for why, n in reasons.most_common(NAMED)
    ]
