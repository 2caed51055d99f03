"""A run as the templates of a page read it: every text cleaned, every number formatted, every link resolved."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.report import prose, sections
from harness.report.answer import lines
from harness.report.glyphs import Glyphs
from harness.report.html.definitions import Definition, of_columns, of_metric
from harness.report.html.matrix import Matrix, matrix
from harness.report.html.names import clean, hint, short
from harness.report.html.tables import Table, table
from harness.report.parts import Entry, Problem, View, ranked
from harness.report.sections import Section
from harness.report.view import view
from harness.results import Comparison, Json, MetricValue, Rank, Run, Verdict

SPOKEN = 12
"""Number of sentences of an answer that are seen at once."""
LISTED = 6
"""Number of problems whose rows are listed below the answer; for more the matrix has them."""
NAMED = 6
"""Number of rows of one verdict that are listed; the others are counted."""
_VERDICTS = (Verdict.BETTER, Verdict.WORSE, Verdict.EQUIVALENT, Verdict.IDENTICAL, Verdict.UNDECIDED)


@dataclass(frozen=True)
class Picture:
    """A figure as the content of a file of some media type, and in words; or `why` it is not drawn."""

    name: str
    words: str = ""
    media: str = ""
    content: bytes = field(default=b"", repr=False)
    why: str = ""

    @property
    def link(self) -> str:
        """The figure as an address that holds all of it."""
        return f"data:{self.media};base64,{b64encode(self.content).decode()}"


@dataclass(frozen=True)
class Subject:
    """A run that a page shows, the command that measured it if that is stored, and its figures.

    `remark` says why there are no figures, or not all.
    """

    run: Run
    command: str = ""
    pictures: tuple[Picture, ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class Link:
    """A contender of a problem: a link to its row, with the number that its verdict rests on."""

    name: str
    hint: str
    anchor: str
    number: str


@dataclass(frozen=True)
class Group:
    """The contenders of a problem with one verdict, or of one rank, the clearest first; `more` are not named."""

    name: str
    mark: str
    links: tuple[Link, ...]
    more: int = 0


@dataclass(frozen=True)
class Listed:
    """A title over lines, each with whether it explains the one before."""

    title: str
    lines: tuple[tuple[bool, str], ...]


@dataclass(frozen=True)
class Part:
    """A run on the page; `prefix` begins the names of all its anchors."""

    prefix: str
    view: View
    name: str
    question: str
    setting: tuple[str, ...]
    answer: tuple[str, ...]
    groups: tuple[tuple[str, str, tuple[Group, ...]], ...]
    """For each problem its title, the anchor of its table, and its rows by verdict or rank."""
    matrix: Matrix | None
    verdicts: tuple[Listed, ...]
    tables: tuple[tuple[Table, tuple[str, ...]], ...]
    """Each table with the lines below it."""
    legend: tuple[str, ...]
    remarks: tuple[Listed, ...]
    pictures: tuple[Picture, ...]
    remark: str
    environment: tuple[tuple[str, str], ...]
    command: str
    definitions: dict[str, Definition]
    columns: dict[str, str]
    """Heads of the columns by key, for the menu that hides them."""


def part(subject: Subject, prefix: str) -> Part:
    """Arrange a run for the page."""
    shown, ink = view(subject.run), Glyphs()
    tables = [table(shown, each, f"{prefix}p{place}", prefix) for place, each in enumerate(shown.problems)]
    below = [tuple(map(clean, prose.looks(shown, each))) for each in shown.problems]
    used = {column.defined for each in tables for column in each.columns} | {"mean"}
    defined = {f"metric-{place}": of_metric(metric) for place, metric in enumerate(shown.metrics)} | of_columns(shown)
    return Part(
        prefix=prefix,
        view=shown,
        name=short(shown.run.suite or shown.run.run or "a run"),
        question=clean(shown.run.question),
        setting=tuple(map(clean, prose.setting(shown))),
        answer=tuple(map(clean, lines(shown.run))),
        groups=tuple(_grouped(shown, prefix)),
        matrix=matrix(shown, prefix),
        verdicts=tuple(_cleaned(sections.verdicts(shown, ink))),
        tables=tuple(zip(tables, below, strict=True)),
        legend=tuple(clean("  ".join(parts)) for parts in prose.legend(shown, ink)),
        remarks=tuple(_cleaned(sections.remarks(shown, ink))),
        pictures=subject.pictures,
        remark=clean(subject.remark),
        environment=tuple(_flat(shown.run.environment)),
        command=clean(subject.command),
        definitions={key: each for key, each in defined.items() if key in used},
        columns={column.key: f"{column.head} {column.arrow}".strip() for each in tables for column in each.columns},
    )


def _cleaned(found: Iterator[Section]) -> Iterator[Listed]:
    """Yield sections with the place of each line: an indented one explains the one before."""
    for each in found:
        yield Listed(each.title, tuple((line[:1].isspace(), clean(line).strip()) for line in each.lines))


def _grouped(shown: View, prefix: str) -> Iterator[tuple[str, str, tuple[Group, ...]]]:
    """Yield the rows of each problem by verdict, or by rank where nothing is compared; none for many problems."""
    for place, problem in enumerate(shown.problems if len(shown.problems) <= LISTED else ()):
        groups = tuple(_by_verdict(shown, problem, prefix) if shown.baselines else _by_rank(shown, problem, prefix))
        if groups:
            yield short(problem.title), f"{prefix}p{place}", groups


def _by_verdict(shown: View, problem: Problem, prefix: str) -> Iterator[Group]:
    ink = Glyphs()
    for verdict in _VERDICTS:
        pairs = [(entry, entry.against(shown.primary)) for entry in problem.entries]
        found = [(entry, _effect(each)) for entry, each in pairs if each is not None and each.verdict is verdict]
        found.sort(key=lambda each: -abs(each[1][0]))
        links = [_link(entry, prefix, text) for entry, (_, text) in found]
        if links:
            yield Group(str(verdict), ink.mark(verdict), tuple(links[:NAMED]), len(links[NAMED:]))


def _effect(found: Comparison) -> tuple[float, str]:
    """Return the size of a difference, and its text; those of the ratio for a metric that is compared by ratio."""
    if found.ratio is not None and found.ratio.ratio > 0:
        return math.log(found.ratio.ratio), f"×{found.ratio.ratio:.3g}"
    return found.difference or 0.0, "" if found.difference is None else f"{found.difference:+.3g}"


def _by_rank(shown: View, problem: Problem, prefix: str) -> Iterator[Group]:
    for rank, mark in ((Rank.BEST, "★"), (Rank.TIED, "☆")) if ranked(problem.entries, shown.primary) else ():
        entries = [entry for entry in problem.entries if entry.best(shown.primary) is rank]
        found = [(entry, entry.metric(shown.primary)) for entry in entries]
        links = [_link(entry, prefix, _mean(each)) for entry, each in found]
        if links:
            yield Group(str(rank), mark, tuple(links[:NAMED]), len(links[NAMED:]))


def _mean(found: MetricValue | None) -> str:
    return f"{found.mean:.3g}" if found and found.mean is not None else ""


def _link(entry: Entry, prefix: str, number: str) -> Link:
    return Link(short(entry.label), hint(entry.label), f"{prefix}{entry.number}", number.replace("-", "−"))


def _flat(found: Mapping[str, Json], lead: str = "") -> Iterator[tuple[str, str]]:
    """Yield the facts of an environment, those of a mapping by their whole names; empty ones are left out."""
    for key, value in found.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{lead}{key} ")
        elif value not in (None, "", []):
            said = ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else value
            yield clean(f"{lead}{key}"), clean(said)
