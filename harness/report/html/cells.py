"""Cells and columns of a page's table, and texts that stay aligned in any font."""

from __future__ import annotations

from dataclasses import dataclass

from harness.report.html.bars import Bar, Scale
from harness.results import Rank, Verdict

_FIGURE_SPACE = "\u2007"


@dataclass(frozen=True)
class Cell:
    """A text, and what its column is sorted by (empty: last); `exact` is the number with all digits, in words."""

    text: str = ""
    key: float | str = ""
    exact: str = ""
    rank: Rank | None = None
    verdict: Verdict | None = None
    bar: Bar | None = None

    @property
    def sorted(self) -> str:
        """The key as a script reads it."""
        return str(self.key).replace("inf", "Infinity") if isinstance(self.key, float) else str(self.key)


@dataclass(frozen=True)
class Column:
    """A heading over a cell for each row; `key` is the same in every table, `defined` names its definition."""

    key: str
    head: str
    defined: str
    cells: tuple[Cell, ...]
    arrow: str = ""
    is_number: bool = True
    has_ranks: bool = False
    has_verdicts: bool = False
    scale: Scale | None = None


def wide(text: str) -> str:
    """Return an aligned text with the spaces that align it as wide as digits; the others stay.

    >>> wide(" 0.5 ±  0.1").replace("\\u2007", "#")
    '#0.5 ± #0.1'
    """
    kept = text.rstrip().replace("± ", "±\0").replace(" ±", "\0±").replace(", ", ",\0").replace(" [", "\0[")
    return kept.replace(" ", _FIGURE_SPACE).replace("\0", " ")
