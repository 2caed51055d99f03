"""Records: one line per cell and block, appended atomically, never changed, and reused by later runs."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NotRequired, TypedDict

from harness.base import Spec
from harness.errors import BenchError
from harness.fields import Json
from harness.results.values import Label, Number

if TYPE_CHECKING:
    import msgspec

SCHEMA = 1
"""Version of the form of records; those of a later one are not read."""
REQUIRED = {"cell", "question", "environment", "run", "block", "status", "seeds"}
MEASURED = {"seeds", "metrics", "auxiliary", "notes", "skipped", "issues", "seconds", "read"}
"""Keys that the result of measuring a block has."""
UNITS = re.compile(r"[\w.-]+\.npz")
"""Form of the name of a file of results per example."""

Numbers = list[float | None]
"""One number for each seed; None for a number that is not finite."""
Stored = list[Number]
"""One number for each seed, infinity included."""


class Look(TypedDict):
    """A look at a test set, as digests: the test set, the variant, and all variants that its suite has on it."""

    test_set: str
    variant: str
    suite: NotRequired[str]


class Record(TypedDict, total=False):
    """A line of the store: a measured block of a cell, a result of tuning, or the reason why there is none.

    `block` is the number of the block, `interleaved` for all of them, `tune`, or None. A session's measurements have
    the names of `Measurements`; `units` is the file of results per example, `blocks` the course of an
    interleaved measurement, `digests` are those of the metrics' plugins, `read` those of files that no field names,
    `look` is what was looked at, without which a record is of no test set.
    """

    schema: int
    cell: str
    question: str
    inputs: Mapping[str, str]
    environment: str
    run: str
    vary: Mapping[str, Label]
    parameters: Mapping[str, Spec]
    protocol: Spec
    block: int | str | None
    status: str
    why: Json
    seeds: list[int]
    width: int
    tuned: dict[str, Json]
    digests: dict[str, str]
    metrics: dict[str, Stored | None]
    auxiliary: dict[str, Numbers | None]
    bootstrap: dict[str, dict[str, Numbers]]
    units: str | None
    resolution: dict[str, float]
    raw_samples: Mapping[str, Sequence[Sequence[float]] | None]
    excluded: str | None
    skipped: dict[str, str]
    notes: list[str]
    diverged: list[int]
    on_threshold: dict[str, Numbers]
    near_threshold: Mapping[str, Json]
    compared_features: Json
    overridden: dict[str, str]
    seconds: float
    peak_memory: int
    blocks: Json
    issues: Sequence[Json]
    read: Mapping[str, str]
    look: Look


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
        self._lock = threading.Lock()

    def append(self, record: Record) -> None:
        """Write one record: a single `os.write`, then fsync, so that no acknowledged record is lost in a crash."""
        line = json.dumps({"schema": SCHEMA, **record}, allow_nan=False).encode() + b"\n"
        with writing(self._file), self._lock:
            if self._descriptor is not None and not os.fstat(self._descriptor).st_nlink:
                self.close()  # a plugin deleted the file
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
        *lines, last = file.read_bytes().split(b"\n")
    except OSError as error:
        damaged.append((0, error.strerror or str(error)))
        return
    for number, line in enumerate((*lines, last), 1):
        record, fault = _decoded(line)
        if record is not None:
            yield record
        elif line.strip() and number <= len(lines):
            damaged.append((number, fault))


def _decoded(line: bytes) -> tuple[Record | None, str]:
    """Return the record of a line, or the reason why it is none."""
    try:
        record = _decoder().decode(line)
    except (ValueError, RecursionError) as error:
        return None, str(error)
    if record.get("schema", SCHEMA) > SCHEMA:
        return None, f"it has schema {record['schema']}, this version reads {SCHEMA}"
    wrong = fault(record, REQUIRED)
    return (None, wrong) if wrong else (record, "")


def fault(record: Record, required: Set[str]) -> str:
    """Return what is wrong with a record whose values have the right types; empty if nothing is."""
    if missing := required - record.keys():
        return f"it has no {', '.join(sorted(missing))}"
    if (units := record.get("units")) and not UNITS.fullmatch(units):
        return f"{units!r} is no name of a file of results per example"
    count = len(record["seeds"])
    for label, numbers in record.get("metrics", {}).items():
        if numbers is not None and len(numbers) != count:
            return f"{label} has {len(numbers)} numbers for {count} seeds"
    return ""


@functools.cache
def _decoder() -> msgspec.json.Decoder[Record]:
    import msgspec

    return msgspec.json.Decoder(Record)
