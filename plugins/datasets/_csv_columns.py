"""Columns of a CSV file as inputs: numbers as they are, texts by one-hot encoding, indicators of missing values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy

from harness import BenchError

from . import _csv_values as values
from ._csv_text import Mistake, shown

MOST_CATEGORIES = 100
FEW_CATEGORIES = 5
"""Number of categories that a small table may have even where they are more than half of its rows."""

ROWS_OF_A_COUNT = 10
"""Number of rows from which 0, 1, 2, ... in a column are no accident."""

LEADING_ZERO = re.compile(r"[-+]?0\d")

NAMES = 8
"""Number of columns that a note names."""


class Column(NamedTuple):
    """A column of the file: its name, the lines of its cells, the cells."""

    name: str
    lines: list[int]
    cells: list[str]


class Encoder:
    """Encodes columns one by one; `inputs` are the float32 columns so far, `ignored` notes on columns left out.
    `mixed` says that a column of numbers has texts.

    A missing number is NaN and has an indicator column: the mean that replaces it is that of a seed's training rows.
    """

    def __init__(self, centered: bool, place: str = "line") -> None:
        """`place` is what a message calls a row."""
        self._centered, self._row = centered, place
        self.inputs: list[values.Numbers] = []
        self.missing = self.mixed = False
        self.ignored: list[str] = []
        self._singly: list[str] = []
        self._together: dict[str, list[str]] = {}

    def add(self, column: Column, categorical: bool) -> list[Mistake]:
        """Encode a column; return its cells that are wrong. Raises BenchError for a column of no use as a whole."""
        self._note_constant(column)
        gaps = [values.is_missing(cell) for cell in column.cells]
        cells = [cell for cell, gap in zip(column.cells, gaps, strict=True) if not gap]
        numbers = None if categorical else values.numbers(cells)
        form = "number" if numbers is not None else "text" if categorical and cells else values.form(cells)
        if numbers is not None:
            found, note = values.measured(numbers, cells, column.name, self._centered)
            self._singly += [note] if note else []
            self._place(column.name, gaps, found)
            if _counts_rows(column.cells):
                self._note("counts the rows: ignore it if it is an index", column.name)
            if any(LEADING_ZERO.match(cell) for cell in cells):
                self._note("numbers with leading zeros: categorical, if they are codes", column.name)
        elif form == "number":
            known = [(line, cell) for line, cell, gap in zip(*column[1:], gaps, strict=True) if not gap]
            wrong = [(line, values.problem(cell, column.name)) for line, cell in known]
            self.mixed = self.mixed or not all(map(values.looks_like_number, cells))
            return [Mistake(line, what) for line, what in wrong if what]
        elif form == "boolean":
            found = numpy.array([values.BOOLEAN[cell.lower()] for cell in cells], dtype=numpy.float32)
            self._place(column.name, gaps, found)
        elif form == "text":
            self._one_hot(column)
        else:
            self._note("has no value in any row and is left out", column.name)
        return []

    def notes(self) -> list[str]:
        """Return one note for each thing that was done or noticed, with the columns concerned."""
        said: list[str] = []
        for what, names in self._together.items():
            more = f", and {len(names) - NAMES} more" if len(names) > NAMES else ""
            said.append(f"{', '.join(names[:NAMES])}{more}: {what}")
        return [*self.ignored, *self._singly, *said]

    def _note(self, what: str, name: str, count: int | None = None) -> None:
        counted = "" if count is None else f" ({count})"
        self._together.setdefault(what, []).append(f"{shown(name)}{counted}")

    def _note_constant(self, column: Column) -> None:
        """Note a column of one value, in whatever ways it is written."""
        every = set(column.cells)
        found = {cell for cell in every if not values.is_missing(cell)}
        numbers = {values.exact(cell) for cell in found} if len(found) <= NAMES else set()
        if len(found) == 1 or (len(numbers) == 1 and None not in numbers):
            value = next(cell for cell in column.cells if cell in found)
            where = "row" if len(every) == len(found) else "row with a value"
            self._singly.append(f"{shown(column.name)} is constant, {shown(value)[1:-1]} in every {where}")

    def _place(self, name: str, gaps: Sequence[bool], numbers: values.Numbers) -> None:
        """Add the known numbers at their rows, NaN in the gaps, and an indicator of these if there are any."""
        missing = numpy.array(gaps)
        placed = numpy.full(len(gaps), numpy.nan, dtype=numpy.float32)
        placed[~missing] = numbers
        self.inputs.append(placed)
        if missing.any():
            self.missing = True
            self.inputs.append(missing.astype(numpy.float32))
            what = "missing values are replaced by the column's mean (of training rows), beside an indicator column"
            self._note(what, name, int(missing.sum()))

    def _one_hot(self, column: Column) -> None:
        """Add a 0/1 column for every category, missing cells as the last one."""
        cells: list[str | None] = [None if values.is_missing(cell) else cell for cell in column.cells]
        names: list[str | None] = [*values.categories(cell for cell in cells if cell is not None)]
        names += [None] if None in cells else []
        rows = len(cells)
        crowded = len(names) > max(rows / 2, FEW_CATEGORIES) or len(names) == rows > 2
        if len(names) > MOST_CATEGORIES or crowded:
            example = f"such as {shown(str(names[0]))} in {self._row} {column.lines[cells.index(names[0])]}"
            what = f"has {len(names)} categories in {rows} rows, {example}: ignore it"
            raise BenchError(
                f"the text column {shown(column.name)} {what} by columns: {{ignore: [{shown(column.name)}]}}"
            )
        place = {name: number for number, name in enumerate(names)}
        codes = numpy.array([place[cell] for cell in cells])
        self.inputs += [(codes == number).astype(numpy.float32) for number in range(len(names))]
        self._note("text becomes a 0/1 column for each category", column.name, len(names))
        if None in place:
            self._note("missing cells become a category", column.name, cells.count(None))
        written = values.differently_written(name for name in names if name is not None)
        self._singly += [f"{shown(column.name)}: {written} are different categories"] if written else []


def _counts_rows(cells: Sequence[str]) -> bool:
    """Return whether the cells are 0, 1, 2, ... or 1, 2, 3, ... in the order of the file."""
    first = next((start for start in (0, 1) if cells[0] == str(start)), None)
    if len(cells) < ROWS_OF_A_COUNT or first is None:
        return False
    return all(cell == str(number) for number, cell in enumerate(cells, first))
