r"""LaTeX tables for a paper, one for every problem.

The preamble needs \usepackage{amssymb, booktabs}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from harness.report import prose
from harness.report.columns import sheet
from harness.report.flat import rows
from harness.report.glyphs import Glyphs
from harness.report.layout import Line, Sheet
from harness.report.parts import View
from harness.report.view import view
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
_STYLES = {"bold": r"\textbf{%s}", "italic": r"\textit{%s}"}


def render(run: Run, width: int | None = None) -> str:
    """Render the tables as LaTeX; `width` is not used."""
    shown, ink = view(run), Glyphs()
    blocks = ["% \\usepackage{amssymb, booktabs}", *("\n".join(lines) for lines in _tables(shown, ink))]
    return "\n\n".join(blocks) + "\n"


def _tables(shown: View, ink: Glyphs) -> Iterator[list[str]]:
    legend = "; ".join(ink("  ".join(parts)) for parts in prose.legend(shown, ink))
    for problem in shown.problems:
        titles = (shown.run.question, problem.title, " · ".join(prose.setting(shown)), legend)
        caption = " ".join(_sentence(ink(text)) for text in titles if text)
        yield [
            r"\begin{table}",
            rf"\caption{{{caption}}}",
            *_table(sheet(shown, problem, ink, compact=False)),
            r"\end{table}",
        ]


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
