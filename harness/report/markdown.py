"""A result as GitHub Markdown: the tables of the console, each in one piece."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from harness.report import prose, sections
from harness.report.columns import sheet
from harness.report.flat import rows
from harness.report.ink import Ink
from harness.report.layout import Line, Sheet
from harness.report.parts import View
from harness.report.sections import Section
from harness.report.view import view

_SPECIAL = re.compile(r"([\\|*`<\[\]]|(?<!\w)_|_(?!\w))")
_STYLES = {"bold": "**{}**", "italic": "*{}*"}


def render(result: Mapping[str, Any], width: int | None = None) -> str:
    """The report as Markdown; `width` is not used."""
    return "\n\n".join(_blocks(view(result), Ink())) + "\n"


def _blocks(shown: View, ink: Ink) -> Iterator[str]:
    """Paragraphs, tables and lists, in the order of the console."""
    yield f"## {_escaped(ink(shown.data.get('suite') or ''))}"
    opening = (ink(shown.data.get("question") or ""), " · ".join(map(ink, prose.setting(shown))))
    yield from map(_escaped, filter(None, opening))
    for problem in shown.problems:
        yield from [f"### {_escaped(ink(problem.title))}"] if problem.title else []
        yield "\n".join(_table(sheet(shown, problem, ink, compact=False)))
    if not shown.problems:
        yield "Nothing was measured."
    if answer := ink(shown.data.get("answer") or "").strip():
        yield f"> **Answer.** {_escaped(answer)}"
    yield from map(_list, sections.verdicts(shown, ink))
    yield from (_escaped("  ".join(parts)) for parts in prose.legend(shown, ink))
    yield from map(_list, sections.remarks(shown, ink))


def _list(section: Section) -> str:
    return "\n".join([f"**{section.title}**\n", *(f"- {_escaped(line)}" for line in section.lines)])


def _table(one: Sheet) -> Iterator[str]:
    yield _row([_escaped(one.corner), *(_escaped(column.head) for column in one.columns)])
    yield _row(["---", *("---:" if column.right else "---" for column in one.columns)])
    yield from (_row(list(map(_text, row))) for row in rows(one))


def _text(line: Line) -> str:
    return " ".join(_styled(text.strip(), style) for text, style in line if text.strip())


def _styled(text: str, style: str) -> str:
    return _STYLES.get(style, "{}").format(_escaped(text)) if text else ""


def _row(texts: list[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _escaped(text: str) -> str:
    """Text in which nothing is a mark of Markdown; an underscore inside a word is none.

    >>> _escaped("a|b"), _escaped("cross_entropy"), _escaped("2 * _x_")
    ('a\\\\|b', 'cross_entropy', '2 \\\\* \\\\_x\\\\_')
    """
    return _SPECIAL.sub(r"\\\1", text)
