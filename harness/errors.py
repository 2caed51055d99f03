"""One exception for every mistake a user can make, and the near miss that goes with it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class BenchError(Exception):
    """A mistake in a suite, a plugin or a command: one line that names the thing, the place and the near miss.

    The command prints it without a traceback and ends with exit code 2.
    """

    def __init__(self, what: str, place: str | None = None) -> None:
        self.what = what
        self.place = place
        super().__init__(f"{place}: {what}" if place else what)


class Mistakes(BenchError):
    """Several mistakes found in one pass; `lines` holds the text to print, one entry a mistake."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = list(lines)
        super().__init__("\n".join(lines))


class Failure(Exception):
    """A question that got no answer: `status` is failed, crashed, timeout, oom or skipped; `reason` is one line."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Skip(Exception):
    """Raised while a cell is set up: this combination cannot be run; the text says why and becomes its row."""


def near_miss(word: str, choices: Iterable[str], most: int = 12) -> str:
    """The end of an error message: the closest choice, or the choices themselves.

    >>> near_miss("focl", ["focal", "hinge"])
    ', did you mean focal?'
    >>> near_miss("zzz", ["focal", "hinge"])
    ' (choose from focal, hinge)'
    """
    known = sorted(set(choices))
    close = difflib.get_close_matches(word.replace("-", "_"), known, n=1, cutoff=0.6)
    if close:
        return f", did you mean {close[0]}?"
    if not known:
        return ""
    shown = ", ".join(known[:most]) + (", ..." if len(known) > most else "")
    return f" (choose from {shown})"
