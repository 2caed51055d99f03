"""Places of mistakes in sources, and the mistakes of one pass."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from harness.errors import Mistakes, NearMiss, near_miss

_BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_WIDTH = 110
_MOST = 100


@dataclass(frozen=True)
class Source:
    """A text that was read: a file under the name the user gave, or the value of one `--set`."""

    name: str
    text: str
    is_file: bool = True

    @cached_property
    def lines(self) -> list[str]:
        """The lines as YAML counts them."""
        return _BREAKS.split(self.text)


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a source; line and column count from 1."""

    source: Source
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}" if self.source.is_file else self.source.name

    def entry(self, what: str) -> str:
        """Return `file:line:col: what`, then the line and a caret below it; the first part alone for a `--set`."""
        lines = self.source.lines
        if not self.source.is_file or self.line > len(lines):
            return f"{self}: {what}"
        line, at = _window(lines[self.line - 1], self.column - 1)
        pad = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line[:at])
        return f"{self}: {what}\n    {line}\n    {' ' * pad}^"


def _window(line: str, at: int) -> tuple[str, int]:
    start = max(0, at - _WIDTH // 2) if len(line) > _WIDTH else 0
    return line[start : start + _WIDTH].replace("\t", " ").rstrip(), at - start


def shown(text: str) -> str:
    """Return a user's text for a message: quoted, escaped and truncated."""
    return repr(text) if len(text) <= 60 else repr(text[:57] + "...")


class Finding(NamedTuple):
    """A mistake: its place, its description, and a suggestion."""

    place: Place
    what: str
    near: NearMiss | None = None


class Findings:
    """The mistakes found so far, with their places. Only the first hundred are kept, the others are counted."""

    def __init__(self, found: Iterable[Finding] = (), more: int = 0) -> None:
        self.found = list(found)
        self.more = more
        self.failed: set[str] = set()

    def copy(self) -> Findings:
        """Return a copy that can be extended independently."""
        return Findings(self.found, self.more)

    def add(
        self, place: Place, what: str, word: str | None = None, choices: Iterable[str] = (), most: int = 12
    ) -> None:
        """Note a mistake; with a word, the nearest of the choices ends the message, or at `most` so many of them."""
        if len(self.found) >= _MOST:
            self.more += 1
        else:
            near = near_miss(word[:60].lower(), choices, most) if word is not None else None
            self.found.append(Finding(place, what, near))

    def suggested(self, word: str) -> bool:
        """Return whether a mistake already suggests `did you mean WORD?`."""
        return any(each.near is not None and each.near.closest == word for each in self.found)

    def excuses(self, word: str) -> bool:
        """Return whether a word is unknown only because of a mistake already noted at its definition."""
        name = word.strip().replace("-", "_").split("(")[0]
        return word in self.failed or name in self.failed or self.suggested(name)

    def entries(self) -> list[str]:
        """Return one text per mistake, in the order of the file."""
        ordered = sorted(self.found, key=lambda f: (not f.place.source.is_file, f.place.line, f.place.column))
        entries = list(dict.fromkeys(each.place.entry(f"{each.what}{each.near or ''}") for each in ordered))
        return [*entries, f"and {self.more} more mistakes"] if self.more else entries

    def stop(self) -> None:
        """Raise Mistakes if anything was found."""
        if self.found:
            raise Mistakes(self.entries())
