"""Records: one line per cell and block, appended atomically, never changed, and reused by later runs."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from harness.errors import BenchError
from harness.results.records import SCHEMA, Fault, Record, decoded


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


def write(file: Path, content: str | bytes) -> None:
    """Write a whole file or leave the old one, whoever else writes it. Raises BenchError for an error of the system."""
    data = content.encode() if isinstance(content, str) else content
    with writing(file):
        if file.exists() and not file.is_file():  # a pipe or a terminal
            file.write_bytes(data)
            return
        part = unique_part(file)
        part.write_bytes(data)
        part.replace(file)


def unique_part(file: Path) -> Path:
    """Return the name under which a file is written before it is whole: one that no process of any machine has."""
    return file.with_name(f"{file.name}.{os.urandom(8).hex()}.part")


class Store:
    """The records under a results folder. Every writer appends to a file of its own, `records/WRITER.jsonl`."""

    def __init__(self, results: Path, writer: str) -> None:
        self._folder = results / "records"
        self._file = self._folder / f"{writer}.jsonl"
        self._descriptor: int | None = None
        self._sync: Sync | None = None
        self._lock = threading.Lock()

    def append(self, record: Record) -> None:
        """Write one record by a single `os.write`: the end of this process loses none.

        The disk has it after the next `fsync`, which begins at once and covers all records written meanwhile.
        """
        line = json.dumps({"schema": SCHEMA, **record}, allow_nan=False).encode() + b"\n"
        with writing(self._file), self._lock:
            if self._descriptor is not None and not os.fstat(self._descriptor).st_nlink:
                self.close()  # a plugin deleted the file
            if self._descriptor is None or self._sync is None:
                self._descriptor = self._opened()
                self._sync = Sync(self._descriptor)
            written = os.write(self._descriptor, line)
            self._sync.begin()
        if written != len(line):
            raise BenchError(f"cannot write {self._file}: the disk took {written} of {len(line)} bytes")

    def _opened(self) -> int:
        """Return the descriptor of this writer's file, which is locked as long as it is open."""
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return descriptor

    def all(self, damaged: list[Damage] | None = None) -> Iterator[Record]:
        """Yield every whole record, oldest file first; what cannot be read is added to `damaged`.

        An incomplete last line, as a crash leaves it, is no damage.
        """
        for file in sorted(self._folder.glob("*.jsonl")):
            count, first = 0, (0, "")
            for number, found in lines(file):
                if not isinstance(found, Fault):
                    yield found
                    continue
                first = first if count else (number, found.why)
                count += 1
            if count and damaged is not None:
                damaged.append(Damage(file, count, *first))

    def close(self) -> None:
        """Close the file of this writer once the disk has all its records. Raises BenchError if it has not."""
        if self._descriptor is None or self._sync is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        with writing(self._file):
            try:
                self._sync.end()
            finally:
                os.close(descriptor)


class Sync:
    """A thread that brings what is written to a file to the disk, one `fsync` after the other."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._written = threading.Event()
        self._ends = False
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Begin an `fsync` of what was written until now. Raises OSError if an earlier one failed."""
        self._written.set()
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Wait for the last `fsync`. Raises OSError if any failed."""
        self._ends = True
        self._written.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        ends = False
        while not ends:
            self._written.wait()
            self._written.clear()  # before the rest, so that nothing that comes later is overlooked
            ends = self._ends
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                self._error = error


def lines(file: Path) -> Iterator[tuple[int, Record | Fault]]:
    """Yield the number and the content of every line of a file of records; 0 and a fault for what is no such file.

    Empty lines are left out, and the incomplete last one that a crash leaves.
    """
    return ((number, found) for number, _, found in raw_lines(file))


def raw_lines(file: Path) -> Iterator[tuple[int, bytes, Record | Fault]]:
    """Yield the same as `lines`, with the bytes of every line in between."""
    if not file.is_file():
        yield 0, b"", Fault("it is not a file")
        return
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                found = decoded(line)
                if not isinstance(found, Fault) or (line.strip() and line.endswith(b"\n")):
                    yield number, line, found
    except OSError as error:
        yield 0, b"", Fault(error.strerror or str(error))


def is_written(file: Path) -> bool:
    """Return whether a run is writing a file of records."""
    if not file.is_file():
        return False
    with contextlib.suppress(OSError), file.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
