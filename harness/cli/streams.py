"""Standard output that may close or fill up without a change of the exit code, and signals that end a run."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


class Terminated(KeyboardInterrupt):
    """The process was told to end, as batch systems do before they kill it."""


class Lenient:
    """A stream whose first failed write ends all output: what is to be printed is dropped from then on.

    A reader may have closed it, which is no news, or the disk may be full, which is said once on stderr. None is the
    stream of a process that was started without one.
    """

    def __init__(self, stream: Any) -> None:
        self._stream: Any = stream or io.TextIOWrapper(io.BytesIO())
        self._lost = False

    def write(self, text: str | bytes) -> int:
        """Write a text, or bytes to a stream of bytes, or drop them."""
        self._try(lambda: self._stream.write(self._encodable(text)))
        return len(text)

    def _encodable(self, text: str | bytes) -> str | bytes:
        """Return a text with a question mark for every character that the stream's encoding lacks."""
        encoding = getattr(self._stream, "encoding", None)
        if isinstance(text, bytes) or not encoding or text.isascii():
            return text
        return text.encode(encoding, "replace").decode(encoding)

    def writelines(self, lines: Any) -> None:
        """Write some lines, or drop them."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Write what is buffered, or drop it."""
        self._try(self._stream.flush)

    @property
    def buffer(self) -> Lenient:
        """The stream of bytes below the text."""
        return Lenient(self._stream.buffer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _try(self, act: Callable[[], object]) -> None:
        if self._lost:
            return
        try:
            act()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            self._lost = True
            if isinstance(error, OSError) and error.errno != errno.EPIPE:
                print(f"bench: cannot write to standard output: {error.strerror}", file=sys.stderr)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered is written at the end of the process


def end_on_signals() -> None:
    """Raise Terminated on SIGTERM and SIGHUP, unless the starter had them ignored, as `nohup` does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _terminate)


def _terminate(number: int, _: FrameType | None) -> None:
    raise Terminated
