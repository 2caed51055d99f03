"""A table from a CSV file."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import torch
from annotated_types import Ge

from harness import BenchError, Dataset, Examples, FilePath, UnitInterval, errors, hookimpl

if TYPE_CHECKING:
    from torch import Generator

Row = tuple[int, list[str]]
SHOWN = 5
LARGEST = torch.finfo(torch.float32).max


class CSV(Dataset):
    """Table of numbers from a CSV file, with one column as the class.

    A UTF-8 file with a header line: the column `target` is the class, every other column a number. Class labels may be
    any text. They are numbered in sorted order, by value where all of them are numbers. Blank lines are skipped. The
    columns are passed on raw; `label_noise` and `imbalance` are applied by the harness, per seed. Raises BenchError
    naming the file, the lines and what is wrong in each.
    """

    path: FilePath
    target: str
    delimiter: str = ","
    label_noise: UnitInterval = 0.0
    imbalance: Annotated[float, Ge(1)] = 1.0

    def load(self, generator: Generator) -> Examples:
        """The whole table, rows and columns in the order of the file."""
        header, rows = self._read()
        column = self._target(header)
        mistakes = [(line, problem) for line, row in rows if (problem := _problem(row, header, column))]
        if mistakes:
            raise BenchError(_summary(mistakes), self.path)
        if not rows:
            raise BenchError("has a header but no rows", self.path)
        numbers = [[float(v) for k, v in enumerate(row) if k != column] for _, row in rows]
        targets, classes = self._classes([row[column] for _, row in rows])
        return Examples(
            inputs=torch.tensor(numbers, dtype=torch.float64).float(),
            targets=torch.tensor(targets),
            classes=classes,
            label_noise=self.label_noise,
            imbalance=self.imbalance,
        )

    def _read(self) -> tuple[list[str], list[Row]]:
        if len(self.delimiter) != 1 or self.delimiter in '\r\n"':
            raise BenchError(f"csv.delimiter: expected one character, got {self.delimiter!r}")
        try:
            text = Path(self.path).read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise BenchError(f"cannot be read: {error.strerror or error}", self.path) from None
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise BenchError(
                f"line {line}: not UTF-8 text (byte 0x{error.object[error.start]:02x})", self.path
            ) from None
        rows = self._rows(text)
        first = next(rows, None)
        if first is None:
            raise BenchError("is empty", self.path)
        return first[1], list(rows)

    def _rows(self, text: str) -> Iterator[Row]:
        """Pairs of the line a row starts on and its stripped cells, without blank lines."""
        # Line ends are kept: the reader needs them inside quoted cells.
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, strict=True)
        line = 1
        try:
            for row in reader:
                if row:
                    yield line, [cell.strip() for cell in row]
                line = reader.line_num + 1
        except csv.Error as error:
            raise BenchError(f"line {line}: {error}", self.path) from None

    def _target(self, header: Sequence[str]) -> int:
        """Position of the target column, after a check of the header."""
        if "" in header:
            raise BenchError(f"line 1: column {header.index('') + 1} has no name", self.path)
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise BenchError(f"line 1: two columns are called {', '.join(map(repr, twice))}", self.path)
        if self.target not in header:
            raise BenchError(f"has no column {self.target!r}{errors.near_miss(self.target, header)}", self.path)
        if len(header) == 1:
            raise BenchError(f"has no column beside the target {self.target!r}", self.path)
        return header.index(self.target)

    def _classes(self, labels: Sequence[str]) -> tuple[list[int], int]:
        """Class number of each label, and the number of classes."""
        values = [_exact(label) for label in labels]
        keys: list[Decimal | str] = [v for v in values if v is not None]
        keys = keys if len(keys) == len(labels) else list(labels)
        order = {key: number for number, key in enumerate(sorted(set(keys)))}
        if len(order) == 1:
            raise BenchError(f"all rows have the same {self.target!r}: {labels[0]!r}", self.path)
        return [order[key] for key in keys], len(order)


def _problem(row: Sequence[str], header: Sequence[str], target: int) -> str | None:
    """Problem with a row, or None."""
    if len(row) != len(header):
        return f"{len(row)} columns, expected {len(header)}"
    for k, (name, cell) in enumerate(zip(header, row, strict=True)):
        if not cell:
            return f"missing value in {name!r}"
        if k != target and not _is_number(cell):
            return f"{cell[:40]!r} in {name!r} is not a finite number"
    return None


def _is_number(cell: str) -> bool:
    """True if a cell is a number that float32 can hold; not NaN, nor Python's digits_with_underscores."""
    try:
        return "_" not in cell and math.isfinite(float(cell)) and abs(float(cell)) <= LARGEST
    except ValueError:
        return False


def _exact(label: str) -> Decimal | None:
    """The label as an exact number, so that long identifiers stay distinct."""
    try:
        number = Decimal(label)
    except InvalidOperation:
        return None
    return number if number.is_finite() and "_" not in label else None


def _summary(mistakes: Sequence[tuple[int, str]]) -> str:
    shown = "; ".join(f"line {line}: {problem}" for line, problem in mistakes[:SHOWN])
    rest = f"; and {len(mistakes) - SHOWN} more bad rows" if len(mistakes) > SHOWN else ""
    return shown + rest


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [CSV]
