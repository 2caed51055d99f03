"""Records: one line per cell and block, appended whole, never changed; what was measured once is found again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import BenchError

Record = Mapping[str, Any]


class Store:
    """The records under a results folder. Every writer appends to a file of its own, `records/WRITER.jsonl`."""

    def __init__(self, results: Path, writer: str) -> None:
        self._folder = results / "records"
        self._file = self._folder / f"{writer}.jsonl"
        self._descriptor: int | None = None

    def append(self, record: Record) -> None:
        """Write one record: a single `os.write`, then fsync, so that a killed run loses nothing it acknowledged."""
        line = json.dumps(record, allow_nan=False).encode() + b"\n"
        try:
            if self._descriptor is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            written = os.write(self._descriptor, line)
            os.fsync(self._descriptor)
        except OSError as error:
            raise BenchError(f"cannot write {self._file}: {error.strerror}") from None
        if written != len(line):
            raise BenchError(f"cannot write {self._file}: the disk took {written} of {len(line)} bytes")

    def all(self) -> Iterator[dict[str, Any]]:
        """Every whole record, oldest file first; a line torn by a crash is passed over."""
        for file in sorted(self._folder.glob("*.jsonl")):
            for line in file.read_bytes().split(b"\n"):
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                if isinstance(record, dict) and "cell" in record:
                    yield record

    def close(self) -> None:
        """Close the file that was written."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
