"""Tables of results as rows of cells with their places: CSV, JSON lines, Parquet."""

from __future__ import annotations

import csv
import importlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from harness.errors import BenchError

NUMERIC = re.compile(r"[-+]?\d[\d.,\s]*%?")
"""Texts that are meant as numbers, whether or not they are read as such: 91.2% and 0,912 are not."""
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-"})


@dataclass(frozen=True)
class Cell:
    """A cell: its text, its column, its line in the file (its row in a Parquet file, from 1)."""

    text: str
    column: str
    line: int
    file: str

    @property
    def missing(self) -> bool:
        """Whether the cell is empty, or says that there is no number."""
        return self.text.lower() in MISSING

    @property
    def number(self) -> float | None:
        """The number, None where it is missing. Raises BenchError for any other text."""
        if self.missing:
            return None
        try:
            return float(self.text)
        except ValueError:
            place = f"{self.file}:{self.line}"
            write = ", write 0.912 for 91.2 % and for 0,912" if self.is_numeric else ""
            raise BenchError(f"column {self.column}: {self.text[:40]!r} is no number{write}", place) from None

    @property
    def is_number(self) -> bool:
        """Whether the text is a number, or missing."""
        try:
            float(self.text)
        except ValueError:
            return self.missing
        return True

    @property
    def is_numeric(self) -> bool:
        """Whether the text is meant as a number."""
        return self.is_number or NUMERIC.fullmatch(self.text.strip()) is not None


@dataclass(frozen=True)
class Table:
    """Rows by column; every row has every column, with an empty cell where the file has none."""

    file: str
    names: tuple[str, ...]
    rows: tuple[Mapping[str, Cell], ...]


def read(file: Path) -> Table:
    """Read a table by the ending of its name. Raises BenchError with the line of a mistake."""
    readers: Mapping[str, Callable[[Path], Iterator[tuple[int, Mapping[str, str]]]]] = MappingProxyType(
        {".csv": _csv, ".tsv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl, ".parquet": _parquet}
    )
    if file.suffix.lower() not in readers:
        lines = '; of pandas: to_json(FILE, orient="records", lines=True)' if file.suffix.lower() == ".json" else ""
        raise BenchError(f"unknown ending {file.suffix!r} (choose from .csv, .tsv, .jsonl, .parquet){lines}", str(file))
    try:
        found = list(readers[file.suffix.lower()](file))
    except OSError as error:
        raise BenchError(f"cannot be read: {error.strerror}", str(file)) from None
    except UnicodeDecodeError:
        raise BenchError("is not UTF-8 text", str(file)) from None
    names = tuple(dict.fromkeys(name for _, row in found for name in row))
    rows = ({name: Cell(row.get(name, ""), name, line, str(file)) for name in names} for line, row in found)
    if not found:
        raise BenchError("has no rows", str(file))
    return Table(str(file), names, tuple(rows))


def _csv(file: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    text = file.read_text(encoding="utf-8-sig")
    head = text.split("\n", 1)[0]
    delimiter = max("\t;,|", key=head.count)
    lines = csv.reader(io.StringIO(text), delimiter=delimiter)
    names = next(lines, [])
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BenchError(f"two columns are called {twice!r}", f"{file}:1")
    for row in lines:
        if not row:
            continue
        if len(row) != len(names):
            raise BenchError(f"{len(row)} cells under {len(names)} columns", f"{file}:{lines.line_num}")
        cells = enumerate(zip(names, row, strict=True), 1)
        yield lines.line_num, {name or f"column {place}": cell.strip() for place, (name, cell) in cells}


def _jsonl(file: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    for line, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not text.strip():
            continue
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BenchError(f"no JSON: {error}", f"{file}:{line}") from None
        if not isinstance(found, dict):
            raise BenchError("expected one mapping a line", f"{file}:{line}")
        yield line, {name: _text(value) for name, value in _flat(found)}


def _flat(found: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Yield the entries of nested mappings under names joined by dots."""
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _parquet(file: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        arrow = importlib.import_module("pyarrow")
        rows = importlib.import_module("pyarrow.parquet").read_table(file).to_pylist()
    except ImportError:
        raise BenchError("Parquet files need the package pyarrow", str(file)) from None
    except arrow.ArrowException as error:
        raise BenchError(f"no Parquet: {str(error).splitlines()[0]}", str(file)) from None
    for line, row in enumerate(rows, 1):
        yield line, {name: _text(value) for name, value in _flat(row)}


def _text(value: object) -> str:
    return "" if value is None else str(value).strip() if not isinstance(value, (list, dict)) else json.dumps(value)
