"""Output of a process in a file of bounded size: its first and its last part."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections import deque
from pathlib import Path

from harness.errors import one_line
from harness.results.store import writing

HEAD, TAIL = 4 << 20, 4 << 20
"""Bytes that are kept of the beginning and of the end."""
PIECE = 1 << 16
RECENT, SHOWN = 4096, 150
"""Bytes in which the last line is looked for, and the most of its letters that are shown."""


class Log:
    """Appends what is written to `descriptor` to a file, until it is closed; what lies in between is only counted.

    Raises BenchError where the file cannot be written.
    """

    def __init__(self, file: Path) -> None:
        with writing(file):
            file.parent.mkdir(parents=True, exist_ok=True)  # a plugin may have deleted it
            self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        self._read, self.descriptor = os.pipe()
        self._done, self._ending = os.pipe()
        self._written, self._later, self._kept, self._begun = 0, 0, 0, 0
        self._last = deque[bytes]()
        self._thread = threading.Thread(target=self._copy, daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Begin what `last_line` looks at."""
        self._begun = self._written + self._later

    def last_line(self) -> str:
        """Return the last line written since `begin`, cut at its end; empty where there is none."""
        size = self._written + self._later - self._begun
        end = os.fstat(self._file).st_size
        recent = b"".join([os.pread(self._file, RECENT, max(0, end - RECENT)), *self._last])
        lines = recent[-min(size, RECENT) :].decode(errors="replace").strip().splitlines() if size else []
        return one_line(lines[-1], SHOWN) if lines else ""

    def close(self) -> None:
        """Take what is there and write the last part. `descriptor` may have been closed, or be open elsewhere."""
        os.close(self._ending)
        self._thread.join()
        for descriptor in (self._file, self._read, self._done):
            os.close(descriptor)

    def _copy(self) -> None:
        while True:
            ready = select.select([self._read, self._done], [], [])[0]
            if self._read not in ready:
                break  # it is closed, and all is read
            piece = os.read(self._read, PIECE)
            if not piece:
                break
            self._keep(piece)
        if self._later > self._kept:
            self._append(f"\n[{self._later - self._kept:,} bytes are left out here]\n".encode())
        for piece in self._last:
            self._append(piece)

    def _keep(self, piece: bytes) -> None:
        if self._written < HEAD:
            self._written += len(piece)
            self._append(piece)
            return
        self._last.append(piece)
        self._later += len(piece)
        self._kept += len(piece)
        while self._kept - len(self._last[0]) >= TAIL:
            self._kept -= len(self._last.popleft())

    def _append(self, piece: bytes) -> None:
        with contextlib.suppress(OSError):  # a full disk
            os.write(self._file, piece)
