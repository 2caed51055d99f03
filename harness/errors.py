"""One exception for every mistake a user can make, and the near miss that goes with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, TypeVar, cast

from harness.renamed import RENAMED

T = TypeVar("T")
LONGEST = 300
"""Largest number of characters of an exception's text in a reason."""


class BenchError(Exception):
    """A mistake in a suite, a plugin or a command: one line with the subject, the place and the near miss.

    The command prints it without a traceback and ends with exit code 2.
    """

    def __init__(self, what: str, place: str | None = None) -> None:
        self.what = what
        self.place = place
        super().__init__(f"{place}: {what}" if place else what)


class NotImported(BenchError):
    """A plugin or a module whose import fails."""


class Mistakes(BenchError):
    """Several mistakes found in one pass; `lines` holds the text to print, one entry per mistake."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = list(lines)
        super().__init__("\n".join(lines))


After = Literal["cause", "context"] | None
"""How an exception follows the one before: by `raise ... from`, raised while that was handled; None for the first."""


class Frame(TypedDict):
    """A frame of a traceback, as Python prints it; `ours` says that it is the harness's, and no plugin's."""

    file: str
    line: int
    function: str
    code: str
    ours: bool


class Raised(TypedDict):
    """An exception: its class and text as Python prints them, its frames; `after` says how it follows the one before.

    `cause` is `raise ... from`, `context` an exception raised while the one before was handled.
    """

    text: str
    frames: list[Frame]
    after: After


class Failure(Exception):
    """A request without a result: `status` is failed, crashed, timeout, oom or skipped; `reason` is one line.

    `trace` holds the exceptions that were raised, where there were any, the last one last.
    """

    def __init__(self, status: str, reason: str, trace: Sequence[Raised] = ()) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.trace = trace


class Skip(Exception):
    """Raised while a cell is set up if this combination cannot run; the text is the reason that its row shows."""


@dataclass(frozen=True)
class NearMiss:
    """Suggestion for a misspelled word: the closest of the choices, or None, and the choices, sorted."""

    closest: str | None
    choices: tuple[str, ...]
    most: int = 12

    def __str__(self) -> str:
        """Return the end of an error message; empty if there are no choices."""
        if self.closest is not None or not self.choices:
            return self.suggestion
        return f" (choose from {', '.join(self.choices[: self.most])}{', ...' * (len(self.choices) > self.most)})"

    @property
    def suggestion(self) -> str:
        """Return the end of an error message if one choice is close; empty if the choices would only be listed."""
        return f", did you mean {self.closest}?" if self.closest is not None else ""


def near_miss(word: str, choices: Iterable[str], most: int = 12) -> NearMiss:
    """Find the choice that is closest to a word, among choices of which at most `most` are listed.

    >>> str(near_miss("focl", ["focal", "hinge"]))
    ', did you mean focal?'
    >>> str(near_miss("zzz", ["focal", "hinge"]))
    ' (choose from focal, hinge)'
    """
    import difflib  # imported only for a mistake

    known = tuple(sorted(set(choices)))
    plain = word.replace("-", "_")
    today = [name for name in RENAMED.get(plain, ()) if name in known]
    close = today or difflib.get_close_matches(plain, known, n=1, cutoff=0.6)
    return NearMiss(close[0] if close else None, known, most)


def one_line(text: str, most: int = LONGEST) -> str:
    """Return the first line of a text, printable, cut after `most` characters."""
    first = (text.strip()[: most + 1].splitlines() or ["no reason given"])[0]
    line = "".join(c if c.isprintable() else " " for c in first)
    return line if len(line) <= most else f"{line[:most]}..."


def text_of(error: BaseException) -> str | None:
    """Return the text of an exception; None if its class cannot give one."""
    try:
        return f"{error}"
    except BaseException:  # whatever a plugin's class does
        return None


def described(error: BaseException) -> str:
    """Return `Type: text` of an exception, the type alone where there is no text."""
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def printable(found: T) -> T:
    """Return JSON data with a mark for every character that a terminal would obey instead of show.

    Line breaks and tabs stay. What other processes and files say passes through here before it is shown.
    """
    made: object = found
    if isinstance(found, str):
        clean = found.isprintable() or all(c.isprintable() or c in "\n\t" for c in found)
        made = found if clean else "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in found)
    elif isinstance(found, dict):
        made = {printable(key): printable(value) for key, value in found.items()}
    elif isinstance(found, list) and any(isinstance(each, (str, list, dict)) for each in found):
        made = [printable(each) for each in found]
    return cast("T", made)


def own_line(error: BaseException, ours: bool = True) -> str:
    """Return ` (file:line)` of the last line outside the libraries, where a plugin's author looks first.

    Without `ours` lines of this package are left out too, and the answer is empty if there is no other.
    """
    import os
    import traceback

    left_out = ("<", os.path.dirname(os.__file__), *(() if ours else (os.path.dirname(__file__) + os.sep,)))
    every = traceback.extract_tb(error.__traceback__)
    frames = [f for f in every if "site-packages" not in f.filename and not f.filename.startswith(left_out)]
    return f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
