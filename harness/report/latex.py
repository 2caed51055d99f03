r"""LaTeX tables for a paper: a matrix of contenders and problems for every metric, and a table for every problem.

The preamble needs \usepackage{amssymb, booktabs}.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from harness.report import matrix, prose
from harness.report.columns import sheet
from harness.report.flat import rows
from harness.report.glyphs import Glyphs
from harness.report.layout import Line, Sheet
from harness.report.parts import Arrangement, View
from harness.report.view import AS_IT_IS, view
from harness.results import Run

_SIGNS: Mapping[int, str] = MappingProxyType(
    str.maketrans(
        {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
        | {sign: rf"\{sign}" for sign in "&%$#_{}"}
        | {"[": "{[}", "|": "$|$"}
        | {"±": r"$\pm$", "−": "$-$", "–": "--", "×": r"$\times$", "·": r"$\cdot$", "≥": r"$\geq$", "≤": r"$\leq$"}
        | {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "▲": r"$\blacktriangle$", "▼": r"$\blacktriangledown$"}
        | {"★": r"$\bigstar$", "☆": r"$\star$", "✗": r"$\times$", "†": r"$\dagger$", "≡": r"$\equiv$"}
        | {"<": r"$<$", ">": r"$>$", "µ": r"$\mu$"}
    )
)
"""Characters that LaTeX interprets or cannot print, and their replacements."""
_PLAIN = re.compile(r"[^A-Za-z0-9]+")
_STYLES = {"bold": r"\textbf{%s}", "italic": r"\textit{%s}"}


def render(run: Run, width: int | None = None, arrangement: Arrangement = AS_IT_IS) -> str:
    """Render the tables as LaTeX; `width` is not used."""
    shown, ink = view(run, arrangement), Glyphs()
    tables = [*_matrices(shown, ink), *_tables(shown, ink)]
    blocks = ["% \\usepackage{amssymb, booktabs}", *("\n".join(lines) for lines in tables)]
    return "\n\n".join(blocks) + "\n"


def _matrices(shown: View, ink: Glyphs) -> Iterator[list[str]]:
    """Yield a table of contenders and problems for every metric; none for a single problem."""
    for metric in shown.metrics if len(shown.problems) > 1 else ():
        alone = replace(shown, run=replace(shown.run, metrics=(metric,)))
        arrow = {True: "higher is better", False: "lower is better", None: ""}[metric.higher_is_better]
        caption = [f"{metric.label} by problem{arrow and f', {arrow}'}", *_legend(alone, ink, arrows=False)]
        yield _environment(caption, _table(matrix.whole(shown, metric, ink)), _label(metric.label))


def _tables(shown: View, ink: Glyphs) -> Iterator[list[str]]:
    for problem in shown.problems:
        titles = [shown.run.question, problem.title, " · ".join(prose.setting(shown)), *_legend(shown, ink)]
        name = _label(" ".join(filter(None, (shown.run.suite, problem.title))))
        yield _environment(map(ink, titles), _table(sheet(shown, problem, ink, compact=False)), name)


def _legend(shown: View, ink: Glyphs, arrows: bool = True) -> list[str]:
    """Return the meaning of what is in a table as one sentence, of the `arrows` at metrics too."""
    lines = [[part for part in parts if arrows or part[0] not in "↑↓"] for parts in prose.legend(shown, ink)]
    return ["; ".join(ink(", ".join(parts)) for parts in lines if parts)]


def _label(name: str) -> str:
    return rf"\label{{tab:{_PLAIN.sub('-', name).strip('-')}}}"


def _environment(titles: Iterable[str], table: Iterable[str], label: str) -> list[str]:
    caption = " ".join(_sentence(text) for text in titles if text)
    return [r"\begin{table}", rf"\caption{{{caption}}}{label}", *table, r"\end{table}"]


def _sentence(text: str) -> str:
    return _escaped(text if text.endswith((".", "?", "!")) else f"{text}.")


def _table(one: Sheet) -> Iterator[str]:
    columns = "".join("r" if column.right else "l" for column in one.columns)
    yield rf"\begin{{tabular}}{{l{columns}}}"
    yield r"\toprule"
    yield _row([_escaped(one.corner), *(_escaped(column.head) for column in one.columns)])
    yield r"\midrule"
    yield from (_row(list(map(_text, row))) for row in rows(one))
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _row(texts: list[str]) -> str:
    return " & ".join(texts) + r" \\"


def _text(line: Line) -> str:
    return " ".join(_STYLES.get(style, "%s") % _escaped(text.strip()) for text, style in line if text.strip())


def _escaped(text: str) -> str:
    r"""Escape text for LaTeX.

    >>> _escaped("a_b & 5 %"), _escaped("0.97 ± 0.01")
    ('a\\_b \\& 5 \\%', '0.97 $\\pm$ 0.01')
    """
    return text.translate(_SIGNS)
