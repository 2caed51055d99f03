"""Streams to print on, and how a test reads what was printed."""

from __future__ import annotations

import io
import re
from typing import Any

from harness.report.console import console_for, show
from harness.results import Run

WIDTHS = (40, 60, 80, 100, 120, 200)


class Stream(io.StringIO):
    """A stream that says what it is."""

    def __init__(self, terminal: bool = False, encoding: str = "utf-8") -> None:
        super().__init__()
        self._terminal, self._encoding = terminal, encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding text will take."""
        return self._encoding

    def isatty(self) -> bool:
        """Whether this plays a terminal."""
        return self._terminal


def printed(run: Run, stream: Stream, color: Any = "auto") -> str:
    """What the stream receives."""
    show(run, console_for(stream, color))
    return stream.getvalue()


def first_column(report: str) -> str:
    """The texts at the left of all lines, without blanks."""
    return "".join("".join(re.split(r"\s{2,}", line.strip())[:1]).replace(" ", "") for line in report.splitlines())


def spaced(text: str) -> str:
    """The text with every run of blanks as one."""
    return re.sub(r"\s+", " ", text)


def signed(value: float) -> str:
    """A difference as the report writes it."""
    return f"{value:+.4f}".replace("-", "−")
