"""Text of a CSV file: bytes to a header and rows of cells, and what is wrong with them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from harness import BenchError, errors

SHOWN = 5
DELIMITERS = (",", ";", "\t", "|", ":", " ")
QUOTED = re.compile(r'\s*"[^"]*" *([,;\t|:])')
"""Beginning of a file with a quoted name, and the delimiter after it."""

NO_TEXT = {
    b"PK\x03\x04": "an Excel workbook or a zip archive: save the table as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save the table as CSV",
    b"\x1f\x8b": "a gzip archive: unpack it",
    b"PAR1": "a Parquet file: read it with the data set parquet",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
}
"""First bytes of files that are sometimes taken for CSV, and what they are."""


class Row(NamedTuple):
    """Stripped cells of a row, and the line it starts on."""

    line: int
    cells: list[str]


class Mistake(NamedTuple):
    """A line of the file and what is wrong there."""

    line: int
    what: str


def shown(text: str) -> str:
    """Return a text of the file for a message: quoted, escaped and truncated."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def read(path: str, delimiter: str) -> tuple[Row, list[Row]]:
    """Read the header and the rows of a file. Raises BenchError for a file that is empty or no UTF-8 text."""
    rows = _rows(_text(path), delimiter)
    header = next(rows, None)
    if header is None:
        raise BenchError("is empty")
    return header, list(rows)


def _text(path: str) -> str:
    if Path(path).exists() and not Path(path).is_file():
        raise BenchError("is not a regular file")
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise BenchError(f"cannot be read: {error.strerror or error}") from None
    for start, what in NO_TEXT.items():
        if content.startswith(start):
            raise BenchError(f"is {what}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line = before.count(b"\n") + 1
        place = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        what = f"not UTF-8 text (byte 0x{error.object[error.start]:02x}), save the file as UTF-8"
        raise BenchError(f"line {line}, character {place}: {what}") from None


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    """Yield the rows without blank lines; spaces around a cell, also outside of its quotes, do not count."""
    # Line ends are kept: the reader needs them inside quoted cells.
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=delimiter, strict=True, skipinitialspace=delimiter != " ")
    line, first = 1, True
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if cells not in ([], [""]):
                first = False
                yield Row(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        other = QUOTED.match(text) if first else None
        if other:
            raise BenchError(f"line {line}: one column; is the delimiter {other[1]!r}?") from None
        raise BenchError(f"line {line}: {error}") from None


def check_target(header: Row, target: str, delimiter: str) -> None:
    """Check that the target is among the columns. Raises BenchError for a header that cannot be right."""
    names = header.cells
    other = _delimiter(names[0], target, delimiter) if len(names) == 1 else None
    if other is not None:
        raise BenchError(f"line {header.line}: one column; is the delimiter {other!r}?")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise BenchError(f"line {header.line}: two columns are called {', '.join(map(shown, twice))}")
    if target not in names or not target:
        near = errors.near_miss(target, filter(None, names))
        no_header = "; is the header missing?" if all(map(_is_number, names)) else ""
        raise BenchError(f"line {header.line}: no column {shown(target)}{near}{no_header}")
    if len(names) == 1:
        raise BenchError(f"line {header.line}: no column beside the target {target!r}")


def _delimiter(line: str, target: str, wrong: str) -> str | None:
    """Return the likely delimiter of a header that was read as one cell, the one that yields the target first."""
    found = [other for other in DELIMITERS if other != wrong and other in line]
    right = [other for other in found if target in [name.strip().strip('"') for name in line.split(other)]]
    likely = right or [other for other in found if other not in " :"]
    return max(likely, key=line.count, default=None)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def ragged(header: Row, rows: Sequence[Row], delimiter: str) -> list[Mistake]:
    """Return the rows of another length than the header. Raises BenchError if all are, and there is a reason."""
    width = len(header.cells)
    lengths = {len(row.cells) for row in rows}
    if lengths == {width + 1}:
        empty = all(not row.cells[-1] for row in rows)
        why = f"do they end with a {delimiter!r}" if empty else "does the header lack the name of the first column"
        raise BenchError(f"line {header.line}: {width} columns, but {width + 1} in every row; {why}?")
    return [Mistake(row.line, f"{len(row.cells)} columns, expected {width}") for row in rows if len(row.cells) != width]


def refuse(mistakes: Sequence[Mistake], hint: str = "", place: str = "line") -> None:
    """Raise BenchError with the first of the mistakes, by line, and the number of the others; not if there are none."""
    if not mistakes:
        return
    ordered = sorted(mistakes, key=lambda mistake: mistake.line)
    shown = "; ".join(f"{place} {mistake.line}: {mistake.what}" for mistake in ordered[:SHOWN])
    more = len(ordered) - SHOWN
    raise BenchError(shown + (f"; and {more} more" if more > 0 else "") + hint)
