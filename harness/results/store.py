"""Records: one line per cell and block, appended atomically, never changed, and reused by later runs."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from harness.errors import BenchError
from harness.results.records import SCHEMA, Record, decoded


class Damage(NamedTuple):
    """A file of records of which some lines cannot be read: how many, the number of the first (0: the file itself)."""

    file: Path
    lines: int
    first: int
    why: str


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Convert errors of the system (no space, no permission) to one line that names the path."""
    try:
        yield
    except OSError as error:
        raise BenchError(f"cannot write {path}: {error.strerror or error}") from None


def write(file: Path, text: str) -> None:
    """Write a whole file or leave the old one. Raises BenchError for an error of the system."""
    with writing(file):
        if file.exists() and not file.is_file():  # a pipe or a terminal
            file.write_text(text)
            return
        part = file.with_name(f"{file.name}.part")
        part.write_text(text)
        part.replace(file)


class Store:
    """The records under a results folder. Every writer appends to a file of its own, `records/WRITER.jsonl`."""

    def __init__(self, results: Path, writer: str) -> None:
        self._folder = results / "records"
        self._file = self._folder / f"{writer}.jsonl"
        self._descriptor: int | None = None

    def append(self, record: Record) -> None:
        """Write one record: a single `os.write`, then fsync, so that no acknowledged record is lost in a crash."""
        line = json.dumps({"schema": SCHEMA, **record}, allow_nan=False).encode() + b"\n"
        with writing(self._file):
            if self._descriptor is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            written = os.write(self._descriptor, line)
            os.fsync(self._descriptor)
        if written != len(line):
            raise BenchError(f"cannot write {self._file}: the disk took {written} of {len(line)} bytes")

    def all(self, damaged: list[Damage] | None = None) -> Iterator[Record]:
        """Yield every whole record, oldest file first; what cannot be read is added to `damaged`.

        An incomplete last line, as a crash leaves it, is no damage.
        """
        for file in sorted(self._folder.glob("*.jsonl")):
            found = list[tuple[int, str]]()
            yield from _read(file, found)
            if found and damaged is not None:
                damaged.append(Damage(file, len(found), *found[0]))

    def close(self) -> None:
        """Close the file of this writer."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _read(file: Path, damaged: list[tuple[int, str]]) -> Iterator[Record]:
    """Yield the records of a file; number and fault of every line that is none are added to `damaged`."""
    if not file.is_file():
        damaged.append((0, "it is not a file"))
        return
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                record, fault = decoded(line)
                if record is not None:
                    yield record
                elif line.strip() and line.endswith(b"\n"):
                    damaged.append((number, fault))
    except OSError as error:
        damaged.append((0, error.strerror or str(error)))
