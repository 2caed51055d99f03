"""A result as GitHub Markdown: the tables of the console, each in one piece."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from harness.report import matrix, prose, sections
from harness.report.answer import lines
from harness.report.columns import sheet
from harness.report.flat import rows
from harness.report.glyphs import Glyphs
from harness.report.layout import Line, Sheet
from harness.report.parts import Arrangement, View
from harness.report.sections import Section
from harness.report.view import AS_IT_IS, view
from harness.results import Run

_SPECIAL = re.compile(r"([\\|*`<\[\]]|(?<!\w)_|_(?!\w))")
_STYLES = {"bold": "**{}**", "italic": "*{}*"}


def render(run: Run, width: int | None = None, arrangement: Arrangement = AS_IT_IS) -> str:
    """Render the report as Markdown; `width` is not used."""
    return "\n\n".join(_blocks(view(run, arrangement), Glyphs())) + "\n"


def _blocks(shown: View, ink: Glyphs) -> Iterator[str]:
    """Yield paragraphs, tables and lists, in the order of the console."""
    yield f"## {escaped(ink(shown.run.suite))}"
    opening = (ink(shown.run.question), " · ".join(map(ink, prose.setting(shown))))
    yield from map(escaped, filter(None, opening))
    yield from [bullets(Section("Answer", said))] if (said := [*map(ink, lines(shown.run))]) else []
    for metric in matrix.metrics(shown):
        yield f"### {escaped(matrix.title(shown, metric, ink))}"
        one = matrix.whole(shown, metric, ink)
        columns = (*one.columns, *matrix.closing(shown, metric, ink))
        yield "\n".join(table(dataclasses.replace(one, columns=columns)))
    for problem in shown.problems:
        yield from [f"### {escaped(ink(problem.title))}"] if problem.title else []
        yield "\n".join(table(sheet(shown, problem, ink, compact=False)))
        yield from (escaped(ink(line)) for line in prose.looks(shown, problem))
    if not shown.problems:
        yield "Nothing was measured."
    yield from map(bullets, sections.verdicts(shown, ink))
    yield from (escaped("  ".join(parts)) for parts in prose.legend(shown, ink))
    yield from map(bullets, sections.remarks(shown, ink))


def bullets(section: Section) -> str:
    """Return a section as a title over a list."""
    return "\n".join([f"**{section.title}**\n", *(f"- {escaped(line)}" for line in section.lines)])


def table(one: Sheet) -> Iterator[str]:
    """Yield the lines of a table."""
    yield _row([escaped(one.corner), *(escaped(column.head) for column in one.columns)])
    yield _row(["---", *("---:" if column.right else "---" for column in one.columns)])
    yield from (_row(list(map(_text, row))) for row in rows(one))


def _text(line: Line) -> str:
    return " ".join(_styled(text.strip(), style) for text, style in line if text.strip())


def _styled(text: str, style: str) -> str:
    return _STYLES.get(style, "{}").format(escaped(text)) if text else ""


def _row(texts: list[str]) -> str:
    return f"| {' | '.join(texts)} |"


def escaped(text: str) -> str:
    """Escape text for Markdown; an underscore inside a word stays.

    >>> escaped("a|b"), escaped("cross_entropy"), escaped("2 * _x_")
    ('a\\\\|b', 'cross_entropy', '2 \\\\* \\\\_x\\\\_')
    """
    return _SPECIAL.sub(r"\\\1", text)
