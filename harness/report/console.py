"""Report for the terminal or a pipe: tables, the answer, what would decide undecided comparisons, a legend.

If the width is too small, in this order: other metrics, tuning and cost move to further tables; row labels
wrap; verdicts become marks; the columns of the primary metric move to further tables too. Numbers are never cut.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Literal

from rich.box import ASCII, ROUNDED
from rich.cells import cell_len
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from harness.report import brief, forest, matrix, prose, sections
from harness.report.columns import sheet
from harness.report.glyphs import Glyphs
from harness.report.layout import Line, Sheet, plan
from harness.report.parts import Arrangement, View
from harness.report.sections import Section
from harness.report.view import AS_IT_IS, view
from harness.report.wrapping import filled
from harness.results import Run

_NARROWEST = 40
_PIPE = 100
_PROSE = 110
UNLIMITED = 10_000
"""Lines of an answer that is shown whole."""
_LABEL = 20
_DRAWN = 100
"""Width from which on differences are drawn."""


class _Console(Console):
    """A console that raises BrokenPipeError when the reader closes the pipe; rich would end the process with code 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console_for(stream: IO[str], color: Literal["auto", "always", "never"] = "auto") -> Console:
    """Return a console that writes to the stream, with colors and width as the user requests.

    No escape codes if NO_COLOR is set (whatever `color` says), with `never`, and with `auto` if the stream is no
    terminal. The width is COLUMNS, else that of the terminal, else 100 columns; at least 40.
    """
    terminal = stream.isatty()
    colored = not os.environ.get("NO_COLOR") and (color == "always" or (color == "auto" and _shows_color(terminal)))
    return _Console(
        file=stream,
        color_system="standard" if colored else None,
        no_color=not colored,
        force_terminal=terminal,
        force_jupyter=False,
        width=_width(stream, terminal),
        markup=False,
        emoji=False,
        highlight=False,
    )


def _shows_color(terminal: bool) -> bool:
    return terminal and os.environ.get("TERM", "") not in ("dumb", "unknown")


def _width(stream: IO[str], terminal: bool) -> int:
    asked = os.environ.get("COLUMNS", "")
    if asked.isdigit() and int(asked) > 0:
        return max(_NARROWEST, int(asked))
    try:
        return max(_NARROWEST, os.get_terminal_size(stream.fileno()).columns) if terminal else _PIPE
    except (OSError, ValueError):
        return _PIPE


def render(run: Run, width: int | None = None, arrangement: Arrangement = AS_IT_IS) -> str:
    """Render the report as plain text, as for a pipe; `width` in columns (default: COLUMNS, else 100)."""
    stream = io.StringIO()
    console = console_for(stream, "never")
    if width is not None:
        console.width = max(_NARROWEST, width)
    show(run, console, arrangement=arrangement)
    return stream.getvalue()


def show(run: Run, console: Console, whole: bool = False, arrangement: Arrangement = AS_IT_IS) -> None:
    """Print the report of a run, with the answer in few lines or `whole`."""
    shown = view(run, arrangement)
    ink = Glyphs(console.encoding)
    width = min(console.width, _PROSE)
    for line in _header(shown, width, ink):
        _print(console, line)
    found = brief.brief(run, width - 4, UNLIMITED if whole else brief.MOST)
    if said := [ink.line(line) for line in found.lines]:
        box = ASCII if ink.plain else ROUNDED
        width = min(width, max(max(map(cell_len, said)), 20) + 4)
        _print(console, [])
        more = None if found.whole else "whole: -v"
        panel = Panel(
            Text("\n".join(said)), box=box, border_style="cyan", width=width,
            title="Answer", title_align="left", subtitle=more, subtitle_align="right",
        )  # fmt: skip
        console.print(panel)
    for line in _matrices(shown, console.width, ink):
        _print(console, line)
    sheets, half = _sheets(shown, console.width, ink)
    for line in _tables(shown, sheets, console.width, ink, whole):
        _print(console, line)
    for line in _closing(shown, min(console.width, _PROSE), ink, [forest.legend(ink)] * bool(half)):
        _print(console, line)


def _print(console: Console, line: Line) -> None:
    """Print one line unchanged: neither wrapped nor cut, without trailing spaces."""
    text = Text.assemble(*line)
    text.rstrip()
    console.print(text, soft_wrap=True)


def _matrices(shown: View, width: int, ink: Glyphs) -> Iterator[Line]:
    """Yield the means of a whole run, contenders by problems, for every metric that is asked for."""
    for metric in matrix.metrics(shown):
        one = matrix.brief(shown, metric, width, ink)
        how = plan(one.longest, [column.width for column in one.columns], 0, width)
        yield from ([], *_paragraph(matrix.title(shown, metric, ink), min(width, _PROSE), "bold cyan"))
        for page in range(len(how.pages)):
            yield from [[]] if page else []
            yield from one.lines(how, page, width, ink)


def _tables(shown: View, sheets: Sequence[Sheet], width: int, ink: Glyphs, whole: bool = False) -> Iterator[Line]:
    if not shown.problems:
        yield from ([], [("Nothing was measured.", "dim")])
    labels = max((one.longest for one in sheets), default=0)
    widths = [max(column.width for column in same) for same in zip(*(one.columns for one in sheets), strict=True)]
    primary = sheets[0].primary if sheets else 0
    how = plan(labels, widths, primary, width)
    for problem, one in zip(shown.problems, sheets, strict=True):
        for page in range(len(how.pages)):
            yield []
            if problem.title and page == 0:
                yield [(ink(problem.title), "bold cyan")]
            yield from one.lines(how, page, width, ink)
        yield from _flow(prose.looks(shown, problem, whole), " ", min(width, _PROSE), ink)


def _sheets(shown: View, width: int, ink: Glyphs) -> tuple[list[Sheet], int]:
    """Return the tables with verdicts in words, or as marks if words leave too little space for the primary metric.

    Differences are drawn too where there is room for that beside whole labels, so many characters on each side of zero.
    """
    asked = shown.arrangement.columns
    for compact in (False, not asked):
        sheets = [sheet(shown, problem, ink, compact) for problem in shown.problems]
        if max((one.needed for one in sheets), default=0) + _LABEL <= width:
            break
    drawn = "forest" in asked if asked else width >= _DRAWN
    if not drawn or not shown.baselines or not (half := forest.half(sheets, width)):
        return sheets, 0
    columns = [forest.column(shown.primary, problem.shown, half, ink) for problem in shown.problems]
    if not any(column.head for column in columns):
        return sheets, 0
    return [forest.beside(one, column) for one, column in zip(sheets, columns, strict=True)], half


def _header(shown: View, width: int, ink: Glyphs) -> Iterator[Line]:
    name, question = ink(shown.run.suite), ink(shown.run.question)
    yield [(name, "bold")]
    yield from _paragraph(question, width)
    yield from _flow(prose.setting(shown), " · ", width, ink)


def _closing(shown: View, width: int, ink: Glyphs, drawn: list[str]) -> Iterator[Line]:
    for section in sections.verdicts(shown, ink):
        yield from _section(section, width)
    legend = [line for parts in [*prose.legend(shown, ink), drawn] for line in _flow(parts, "  ", width, ink)]
    yield from [[], *legend] if legend else []
    for section in sections.remarks(shown, ink):
        yield from _section(section, width)


def _section(section: Section, width: int) -> Iterator[Line]:
    lines = [line for item in section.lines for line in _paragraph(item, width, indent=2)]
    yield from ([], [(section.title, f"bold {section.style}".strip())], *lines)


def _flow(parts: Iterable[str], between: str, width: int, ink: Glyphs) -> Iterator[Line]:
    """Arrange short parts on as few dim lines as needed, broken between parts."""
    lines: list[str] = []
    for part in map(ink, parts):
        if lines and cell_len(lines[-1] + between + part) <= width:
            lines[-1] += (between if between.isspace() else ink(between)) + part
        else:
            lines += filled(part, width, after="  ")
    yield from ([(line, "dim")] for line in lines)


def _paragraph(text: str, width: int, style: str = "", indent: int = 0) -> Iterator[Line]:
    lead, inner = " " * indent, text[: len(text) - len(text.lstrip())]
    after = lead * 2 + inner
    yield from ([(line, style)] for line in filled(text, width, lead + inner, after) if line.strip())
