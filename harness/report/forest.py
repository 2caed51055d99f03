"""A column that draws differences from the baseline with their intervals, around zero on one scale for a problem."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from rich.cells import cell_len

from harness.report.columns import STYLES
from harness.report.glyphs import Glyphs
from harness.report.layout import GAP, Column, Line, Sheet
from harness.report.number_format import number
from harness.report.parts import Entry
from harness.results import Comparison

LEAST, MOST = 5, 12
"""Characters on each side of zero: so many are needed, and no more are used."""
BEYOND = 4.0
"""A difference beyond so many times the median extent is drawn as an arrow, so that the others can be seen."""

LARGEST = 700.0
"""Logarithm beyond which a ratio has no float."""


class Drawn(NamedTuple):
    """A difference and the ends of its interval, as they are drawn: of a ratio the logarithms."""

    low: float
    middle: float
    high: float

    @property
    def extent(self) -> float:
        """The largest distance from zero."""
        return max(abs(self.low), abs(self.high))


def legend(ink: Glyphs) -> str:
    """Return the meaning of what is drawn."""
    point, stroke, left, right = "o|<>" if ink.plain else "●│◄►"
    return f"{point} difference on its interval, {stroke} zero, {left} {right} farther away"


def half(sheets: Sequence[Sheet], width: int) -> int:
    """Return the characters on each side of zero for which tables have room beside whole labels; 0 for none.

    They are as many as leave every row in one table, if there can be so many.
    """
    label = max(one.longest for one in sheets)
    widths = [max(column.width for column in same) for same in zip(*(one.columns for one in sheets), strict=True)]
    together = (width - label - sum(GAP + size for size in widths) - GAP - 1) // 2
    apart = (width - label - max(one.needed for one in sheets) - GAP - 1) // 2
    room = together if together >= LEAST else apart
    return min(room, MOST) if room >= LEAST else 0


def beside(one: Sheet, drawn: Column) -> Sheet:
    """Return a table with the differences in the primary metric drawn beside its numbers."""
    columns = (*one.columns[: one.primary], drawn, *one.columns[one.primary :])
    return replace(one, columns=columns, primary=one.primary + 1)


def column(name: str, entries: Sequence[Entry], half: int, ink: Glyphs) -> Column:
    """Return the differences of one problem; without a heading where no row has one with an interval."""
    compared = [None if entry.source else entry.against(name) for entry in entries]
    drawn = [_drawn(found) for found in compared]
    extents = [each.extent for each in drawn if each is not None]
    if not any(extents):
        return Column("", tuple([] for _ in entries))
    scale = _rounded(min(max(extents), BEYOND * statistics.median(extents)) or max(extents))
    by_ratio = any(found is not None and found.ratio is not None for found in compared)
    cells: list[Line] = []
    for entry, found, each in zip(entries, compared, drawn, strict=True):
        style = STYLES.get(found.verdict, "") if found else ""
        text = _line(each, scale, half, ink) if each else _zero(half, ink) if entry.baseline else ""
        cells.append([(text, style)] if text else [])
    return Column(_axis(scale, half, by_ratio, ink), tuple(cells))


def _rounded(scale: float) -> float:
    """Return the scale rounded up to two significant digits, so that its ends can be written exactly."""
    step = 10.0 ** (math.floor(math.log10(scale)) - 1)
    return math.ceil(scale / step - 1e-9) * step if step else scale  # nothing is smaller


def _axis(scale: float, half: int, by_ratio: bool, ink: Glyphs) -> str:
    """Return the heading: both ends of the scale, and zero above the stroke where there is room for it."""
    size = _times(scale) if by_ratio else number(scale, max(0, 1 - math.floor(math.log10(scale))))
    ends = (ink(f"÷{size}"), ink(f"×{size}")) if by_ratio else (ink(f"−{size}"), f"+{size}")
    zero, room = "1" if by_ratio else "0", 2 * half + 1
    if max(map(cell_len, ends)) < half:
        return ends[0].ljust(half) + zero + ends[1].rjust(half)
    return ends[0].ljust(room - cell_len(ends[1])) + ends[1] if sum(map(cell_len, ends)) < room else zero.center(room)


def _times(scale: float) -> str:
    ratio = math.exp(min(scale, LARGEST))
    return f"{ratio:.0f}" if 100 <= ratio < 1e6 else f"{ratio:.2g}"


def _drawn(found: Comparison | None) -> Drawn | None:
    if found is None:
        return None
    if found.ratio is not None:
        ends = (found.ratio.low, found.ratio.ratio, found.ratio.high)
        known = [math.log(end) for end in ends if end is not None and 0 < end < math.inf]
    else:
        known = [end for end in (found.low, found.difference, found.high) if end is not None]
    return Drawn(*known) if len(known) == 3 else None


def _line(each: Drawn, scale: float, half: int, ink: Glyphs) -> str:
    """Return an interval as text: a line from end to end, a point on it, an upright stroke at zero.

    The stroke crosses the line where zero is inside, however little of the line is on the other side.
    """
    line, point, stroke, cross, left, right = "-o|+<>" if ink.plain else "─●│┼◄►"
    first, middle, last = (round(half * min(max(end / scale, -2.0), 2.0)) for end in each)
    text = [line if first <= place <= last else " " for place in range(-half, half + 1)]
    text[half] = cross if each.low < 0 < each.high else stroke
    if -half <= middle <= half:
        text[half + middle] = point
    if first < -half:
        text[0] = left
    if last > half:
        text[-1] = right
    return "".join(text)


def _zero(half: int, ink: Glyphs) -> str:
    return " " * half + ("|" if ink.plain else "│") + " " * half
