"""Columns of a CSV file as inputs: numbers as they are, texts by one-hot encoding, indicators of missing values."""

from __future__ import annotations

from typing import NamedTuple

import numpy

from harness import BenchError

from . import _csv_values as values
from ._csv_text import Mistake

MOST_CATEGORIES = 100
FEW_CATEGORIES = 5
"""Number of categories that a small table may have even where they are more than half of its rows."""

ROWS_OF_A_COUNT = 10
"""Number of rows from which 0, 1, 2, ... in a column are no accident."""

NAMES = 8
"""Number of columns that a note names."""


class Column(NamedTuple):
    """A column of the file: its name, the lines of its cells, the cells."""

    name: str
    lines: list[int]
    cells: list[str]


class Encoder:
    """Encodes columns one by one; `inputs` are the float32 columns so far, `ignored` notes on columns left out.

    A missing number is NaN and has an indicator column: the mean that replaces it is that of a seed's training rows.
    """

    def __init__(self, centered: bool) -> None:
        self._centered = centered
        self.inputs: list[values.Numbers] = []
        self.missing = False
        self.ignored: list[str] = []
        self._singly: list[str] = []
        self._together: dict[str, list[str]] = {}

    def add(self, column: Column, categorical: bool) -> list[Mistake]:
        """Encode a column; return its cells that are wrong. Raises BenchError for a column of no use as a whole."""
        known = [(line, cell) for line, cell in zip(*column[1:], strict=True) if not values.is_missing(cell)]
        cells = [cell for _, cell in known]
        form = "text" if categorical and cells else values.form(cells)
        if form == "empty":
            self._note("has no value in any row and is left out", column.name)
        elif form == "text":
            self._one_hot(column)
        elif form == "boolean":
            self._place(column, numpy.array([values.BOOLEAN[cell.lower()] for cell in cells], dtype=numpy.float32))
        else:
            found = [(line, values.problem(cell, column.name)) for line, cell in known]
            mistakes = [Mistake(line, what) for line, what in found if what]
            if mistakes:
                return mistakes
            numbers, note = values.measured(cells, column.name, self._centered)
            self._singly += [note] if note else []
            self._place(column, numbers)
            if _counts_rows(column):
                self._note("counts the rows: ignore it if it is an index", column.name)
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
        self._together.setdefault(what, []).append(f"{name!r}{counted}")

    def _place(self, column: Column, numbers: values.Numbers) -> None:
        """Add the known numbers at their rows, NaN elsewhere, and an indicator of the latter if there are any."""
        gaps = numpy.array([values.is_missing(cell) for cell in column.cells])
        placed = numpy.full(len(gaps), numpy.nan, dtype=numpy.float32)
        placed[~gaps] = numbers
        self.inputs.append(placed)
        if gaps.any():
            self.missing = True
            self.inputs.append(gaps.astype(numpy.float32))
            what = "missing values are replaced by the column's mean (of training rows), beside an indicator column"
            self._note(what, column.name, int(gaps.sum()))

    def _one_hot(self, column: Column) -> None:
        """Add a 0/1 column for every category, missing cells as the last one."""
        cells: list[str | None] = [None if values.is_missing(cell) else cell for cell in column.cells]
        names: list[str | None] = [*values.categories(cell for cell in cells if cell is not None)]
        names += [None] if None in cells else []
        rows = len(cells)
        crowded = len(names) > max(rows / 2, FEW_CATEGORIES) or len(names) == rows > 2
        if len(names) > MOST_CATEGORIES or crowded:
            example = f"such as {str(names[0])[:40]!r} in line {column.lines[cells.index(names[0])]}"
            what = f"has {len(names)} categories in {rows} rows, {example}: ignore it"
            raise BenchError(f"the text column {column.name!r} {what} by columns: {{ignore: [{column.name}]}}")
        place = {name: number for number, name in enumerate(names)}
        codes = numpy.array([place[cell] for cell in cells])
        self.inputs += [(codes == number).astype(numpy.float32) for number in range(len(names))]
        self._note("text becomes a 0/1 column for each category", column.name, len(names))
        if None in place:
            self._note("missing cells become a category", column.name, cells.count(None))
        for group in values.alike(name for name in names if name is not None):
            self._singly.append(f"{column.name!r}: {' and '.join(map(repr, group))} are different categories")


def _counts_rows(column: Column) -> bool:
    """Return whether the cells are 0, 1, 2, ... or 1, 2, 3, ... in the order of the file."""
    rows = len(column.cells)
    return rows >= ROWS_OF_A_COUNT and any(
        column.cells == [str(number) for number in range(first, first + rows)] for first in (0, 1)
    )
