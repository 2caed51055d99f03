r"""LaTeX tables for a paper: a matrix of contenders and problems for every metric.

A table for each problem follows where `--columns` names more than metrics; a single problem has its table alone.
The preamble needs \usepackage{amssymb, booktabs}.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from harness.report import matrix, prose
from harness.report.columns import STARS, sheet
from harness.report.glyphs import Glyphs
from harness.report.layout import Label, Line, Sheet, plan
from harness.report.parts import COLUMNS, Arrangement, View
from harness.report.view import AS_IT_IS, view
from harness.report.wrapping import wrapped
from harness.results import Run

_WIDTH = 64
"""Characters of a small line of an article's text; columns that do not fit go to a further block of their table."""
_LETTERS = "αβγδεζηθικλμνξπρστυφχψω"
_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega"
)
_SIGNS: Mapping[int, str] = MappingProxyType(
    str.maketrans(
        {letter: rf"$\{name}$" for letter, name in zip(_LETTERS, _GREEK.split(), strict=True)}
        | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
        | {sign: rf"\{sign}" for sign in "&%$#_{}"}
        | {sign: f"{{{sign}}}" for sign in "[]*"}
        | {"|": "$|$", "◇": r"$\diamond$", "…": r"\ldots{}"}
        | {"±": r"$\pm$", "−": "$-$", "–": "--", "×": r"$\times$", "·": r"$\cdot$", "≥": r"$\geq$", "≤": r"$\leq$"}
        | {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "▲": r"$\blacktriangle$", "▼": r"$\blacktriangledown$"}
        | {"★": r"$\bigstar$", "☆": r"$\star$", "✗": r"$\times$", "†": r"$\dagger$", "≡": r"$\equiv$"}
        | {"<": r"$<$", ">": r"$>$", "µ": r"$\mu$"}
    )
)
"""Characters that LaTeX interprets or cannot print, and their replacements."""
_LATIN = 0x17F
"""Last character that pdfLaTeX prints as it is."""
_DRAWN = ("forest", "seeds")
"""Columns of signs of one width, which no font of a paper has."""
_PLAIN = re.compile(r"[^A-Za-z0-9]+")
_LIGATURE = re.compile(r"(?<=[-`'!?])(?=[-`'])")
_STYLES = {"bold": r"\textbf{%s}", "italic": r"\textit{%s}"}


def render(run: Run, width: int | None = None, arrangement: Arrangement = AS_IT_IS) -> str:
    """Render the tables as LaTeX; `width` is not used."""
    shown, ink = view(run, arrangement), Glyphs()
    tables = list(_matrices(shown, ink))
    if not tables or any(name in COLUMNS for name in arrangement.columns):
        tables += _tables(shown, ink)
    text = "\n\n".join("\n".join(lines) for lines in tables)
    head = "% \\usepackage{amssymb, booktabs}\n"
    head += "% Some names need XeLaTeX or LuaLaTeX, and a font that has them.\n" * any(ord(c) > _LATIN for c in text)
    return f"{head}\n{text}\n"


def _matrices(shown: View, ink: Glyphs) -> Iterator[list[str]]:
    """Yield a table of contenders and problems for every metric; none for a single problem."""
    for metric in shown.metrics if len(shown.problems) > 1 else ():
        alone = replace(shown, run=replace(shown.run, metrics=(metric,)))
        arrow = {True: "higher is better", False: "lower is better", None: ""}[metric.higher_is_better]
        titles = [ink(f"{metric.label} by problem{arrow and f', {arrow}'}"), *_legend(alone, ink, arrows=False)]
        yield _environment(titles, matrix.whole(shown, metric, ink), _label(shown, metric.label))


def _tables(shown: View, ink: Glyphs) -> Iterator[list[str]]:
    """Yield a table with all columns for every problem."""
    for problem in shown.problems:
        titles = [ink(problem.title or shown.run.suite or "results"), *_legend(shown, ink)]
        one = sheet(shown, problem, ink, compact=False)
        one = replace(one, columns=tuple(column for column in one.columns if column.key not in _DRAWN))
        yield _environment(titles, one, _label(shown, problem.title))


def _legend(shown: View, ink: Glyphs, arrows: bool = True) -> list[str]:
    """Return the meaning of what is in a table as one sentence, of the `arrows` at metrics too."""
    lines = [[part for part in parts if arrows or part[0] not in "↑↓"] for parts in prose.legend(shown, ink)]
    return ["; ".join(ink(", ".join(parts)) for parts in lines if parts)]


def _label(shown: View, name: str) -> str:
    words = _PLAIN.sub("-", " ".join(filter(None, (shown.run.suite, name)))).strip("-")
    return rf"\label{{tab:{words}}}"


def _environment(titles: Sequence[str], one: Sheet, label: str) -> list[str]:
    """Return a table whose caption is the titles; the first is what a list of tables has."""
    caption = " ".join(map(_sentence, filter(None, titles)))
    start = [r"\begin{table}", r"\centering", r"\small", r"\setlength{\tabcolsep}{4pt}"]
    how = plan(one.longest, [column.width for column in one.columns], one.primary, _WIDTH)
    blocks = (_tabular(one, page, how.label) for page in how.pages)
    body = "\n\\par\\medskip\n".join("\n".join(lines) for lines in blocks)
    head = rf"\caption[{_escaped(titles[0])}]{{{caption}}}{label}"
    return [*start, head, r"\smallskip", body, r"\end{table}"]


def _sentence(text: str) -> str:
    return _escaped(text if text.endswith((".", "?", "!")) else f"{text}.")


def _tabular(one: Sheet, page: Sequence[int], room: int) -> Iterator[str]:
    """Yield one block of a table: row labels in so many characters, and the columns of a page."""
    columns = [one.columns[place] for place in page]
    yield rf"\begin{{tabular}}{{l{''.join('r' if column.right else 'l' for column in columns)}}}"
    yield r"\toprule"
    heads = (_stacked([head.strip() for head in column.heads], "b") for column in columns)
    yield _row([_stacked(wrapped(one.corner, room), "b"), *heads])
    yield r"\midrule"
    for place, label in enumerate(one.labels):
        cells = [column.cells[place] for column in columns]
        if label.notice or not label.optional or any(cells):
            name = _styled(_stacked(wrapped(label.text.strip(), room), "t"), label.style)
            yield _row([name, *([_notice(label, page)] if label.notice else map(_text, cells))])
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _notice(label: Label, page: Sequence[int]) -> str:
    """Return what stands for the numbers of a row, in the first block with the reason."""
    said = f"{label.notice}: {label.reason}" if label.reason and 0 in page else label.notice
    text = _styled(_escaped(said), label.style)
    return rf"\multicolumn{{{len(page)}}}{{p{{0.6\linewidth}}}}{{\raggedright {text}}}"


def _stacked(lines: Sequence[str], side: str) -> str:
    """Return the lines of a text under each other, on the row with their first line (`t`) or with their last (`b`)."""
    first, *rest = [_escaped(line.strip()) for line in lines]
    inner = r" \\ ".join([first, *rest])
    return rf"\begin{{tabular}}[{side}]{{@{{}}l@{{}}}}{inner}\end{{tabular}}" if rest else first


def _row(texts: Iterable[str]) -> str:
    return " & ".join(texts) + r" \\"


def _text(line: Line) -> str:
    """Return the text of a cell; a star in front of a number becomes its superscript, so that numbers are aligned."""
    (first, *rest) = line or [("", "")]
    star = first[0].strip()
    if star not in (*STARS.values(), "") or not rest:
        rest, star = [*line], ""
    texts = [_styled(_escaped(text.strip()), style) for text, style in rest if text.strip()]
    if star and texts:
        texts[0] += rf"$^{{{_escaped(star).strip('$')}}}$"
    return " ".join(texts)


def _styled(text: str, style: str) -> str:
    return _STYLES.get(style, "%s") % text


def _escaped(text: str) -> str:
    r"""Escape text for LaTeX; signs that it would join, as two hyphens to a dash, stay apart.

    >>> _escaped("a_b & 5 %"), _escaped("0.97 ± 0.01"), _escaped("--x[*]")
    ('a\\_b \\& 5 \\%', '0.97 $\\pm$ 0.01', '-{}-x{[}{*}{]}')
    """
    return "{}".join(part.translate(_SIGNS) for part in _LIGATURE.split(text))
