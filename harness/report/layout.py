"""Layout of columns on a page of a given width: columns that do not fit move to a further table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len, set_cell_size

from harness.report.glyphs import Glyphs
from harness.report.wrapping import longest_word, pieces, wrapped

Span = tuple[str, str]
"""Text and its style."""
Line = list[Span]
GAP = 2
_LEAST = 16
_NARROWEST = 12
"""Columns of row labels beside the widest of the columns, where no table has room for both."""
_COMFORTABLE = 24
_HEAD = 20
_LONGEST = 36
"""Columns up to which a word of a heading is kept whole."""


@dataclass(frozen=True)
class Column:
    """A heading over one text per row; the first `lead` characters of every text are space for a mark."""

    head: str
    cells: tuple[Line, ...]
    right: bool = False
    lead: int = 0
    narrow: int = _HEAD
    key: str = ""
    """The name by which a reader asks for the column."""

    @property
    def heads(self) -> list[str]:
        """Return the heading, on several lines if it is wider than the texts and than `narrow`; words stay whole."""
        room = max(self._content - self.lead, self.narrow, min(longest_word(self.head) + 2, _LONGEST))
        return [" " * self.lead + part for part in wrapped(self.head, room)]

    @property
    def width(self) -> int:
        """Return the width in characters."""
        return max([self._content, *map(cell_len, self.heads)])

    @property
    def _content(self) -> int:
        return max((_length(cell) for cell in self.cells), default=0)


@dataclass(frozen=True)
class Label:
    """Head of a row; a `notice` replaces its numbers, first with the `reason`; `optional`: not without a number."""

    text: str
    style: str = ""
    notice: str = ""
    reason: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Plan:
    """Width of the row labels, width of each column, and the table of each column."""

    label: int
    widths: tuple[int, ...]
    pages: tuple[tuple[int, ...], ...]


def label_room(longest: int, first: int, total: int, width: int) -> int:
    """Return the largest width of row labels; longer ones wrap.

    `total` is the width of all columns: labels wrap if that makes one table sufficient. Otherwise the
    `first` columns must fit beside the labels.
    """
    if width - total >= _COMFORTABLE:
        return min(longest, width - total)
    return min(longest, max(_COMFORTABLE, width * 2 // 5), max(_LEAST, width - first))


def plan(longest: int, widths: Sequence[int], primary: int, width: int) -> Plan:
    """Assign columns to tables: all in one; else the `primary` ones (if several) in the first, the others after.

    `longest` is the length of the longest row label, `widths` those of the columns, `width` that of the page.
    """
    label = label_room(longest, sum(GAP + size for size in widths[:primary]), sum(GAP + size for size in widths), width)
    label = min(label, max(_NARROWEST, width - GAP - max(widths, default=0)))
    pages = _pages(label, widths, primary, width)
    free = width - max((sum(GAP + widths[index] for index in page) for page in pages), default=0)
    return Plan(min(longest, max(label, free)), tuple(widths), tuple(map(tuple, pages)))


def _pages(label: int, widths: Sequence[int], primary: int, width: int) -> list[list[int]]:
    columns = list(range(len(widths)))

    def filled(some: Sequence[int], room: int) -> list[list[int]]:
        """Fill tables from left to right; every table holds at least one column."""
        tables: list[list[int]] = []
        used = 0
        for index in some:
            if not tables or used + GAP + widths[index] > room:
                tables.append([])
                used = label
            tables[-1].append(index)
            used += GAP + widths[index]
        return tables

    def even(some: Sequence[int]) -> list[list[int]]:
        """Use no more tables than needed, of similar widths."""
        count = len(filled(some, width))
        return next(tables for room in range(1, width + 1) if len(tables := filled(some, room)) == count)

    if len(filled(columns, width)) < 2:
        return [columns]
    head = filled(columns[:primary], width)[0] if primary > 1 else []
    return [head] * bool(head) + even(columns[len(head) :])


@dataclass(frozen=True)
class Sheet:
    """Rows and columns to be laid out; `corner` heads the labels, the first `primary` columns belong together."""

    corner: str
    labels: tuple[Label, ...]
    columns: tuple[Column, ...]
    primary: int

    @property
    def needed(self) -> int:
        """Return the width of the primary columns, which are kept together if possible."""
        return sum(GAP + column.width for column in self.columns[: self.primary])

    @property
    def longest(self) -> int:
        """Return the width of the longest label, or of the longest name of an axis above the labels."""
        names = [piece.rstrip() for piece in pieces(self.corner)]
        return max(map(cell_len, [*names, *(label.text for label in self.labels)]))

    def lines(self, plan: Plan, page: int, width: int, ink: Glyphs) -> Iterator[Line]:
        """Yield the lines of one table: headings, a rule, the rows; notices are cut to `width`."""
        chosen = [(self.columns[index], plan.widths[index]) for index in plan.pages[page]]
        yield from _headings(self.corner, plan.label, chosen)
        yield [(ink("─") * (plan.label + sum(GAP + size for _, size in chosen)), "dim")]
        for row, label in enumerate(self.labels):
            if label.optional and not any(column.cells[row] for column, _ in chosen):
                continue
            first, *rest = wrapped(label.text, plan.label)
            line: Line = [(_padded(first, plan.label), label.style)]
            room = width - plan.label - GAP
            yield line + (_notice(label, page, room, ink) if label.notice else _numbers(chosen, row))
            yield from ([(part, label.style)] for part in rest)


def _headings(corner: str, label: int, chosen: Sequence[tuple[Column, int]]) -> Iterator[Line]:
    stacks = [[_padded(part, size, column.right) for part in column.heads] for column, size in chosen]
    names = [_padded(part, label) for part in wrapped(corner, label)]
    for name, *parts in reversed(list(zip_longest(reversed(names), *(reversed(stack) for stack in stacks)))):
        texts = [" " * size if part is None else part for part, (_, size) in zip(parts, chosen, strict=True)]
        yield [(name or " " * label, "dim"), *((" " * GAP + text, "bold") for text in texts)]


def _numbers(chosen: Sequence[tuple[Column, int]], row: int) -> Line:
    line: Line = []
    for column, size in chosen:
        blank = " " * (size - _length(column.cells[row]))
        before, after = (blank, "") if column.right else ("", blank)
        line += [(" " * GAP + before, ""), *column.cells[row], (after, "")]
    return line


def _notice(label: Label, page: int, room: int, ink: Glyphs) -> Line:
    whole = f"{label.notice}: {label.reason}" if label.reason and page == 0 else label.notice
    text = whole if cell_len(whole) <= room else set_cell_size(whole, room - len(ink("…"))).rstrip() + ink("…")
    return [(" " * GAP, ""), (text, label.style)]


def _padded(text: str, width: int, right: bool = False) -> str:
    blank = " " * (width - cell_len(text))
    return blank + text if right else text + blank


def _length(line: Line) -> int:
    return sum(cell_len(text) for text, _ in line)
