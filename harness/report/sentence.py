"""Sentences of an answer as parts: lists of names that a short answer cuts at a name, never inside one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

_SHORTER = ((6, None), (6, 1), (4, 1), (3, 1), (3, 0), (2, 0), (1, 0))
"""Names of each group, and groups that keep their note (None: all): what is tried until a sentence fits."""


class Group(NamedTuple):
    """Names with what they have in common, `worse: a, b`; the `note` is about the first; a `lead` has no such word."""

    word: str
    names: tuple[str, ...]
    note: str = ""
    lead: bool = False

    def text(self, most: int | None, noted: bool) -> str:
        """Return the group with so many names, and the number of others."""
        shown = [*self.names[:most]]
        shown[0] += self.note if noted else ""
        if (more := len(self.names) - len(shown)) > 0:
            shown.append(f"{more} more")
        return ", ".join(shown) if self.lead else f"{self.word}: {', '.join(shown)}"


@dataclass(frozen=True)
class Sentence:
    """A sentence that starts with `head`, followed by groups of names; without groups, the head alone.

    Where lines are short, an `urgent` sentence is the first to have several, and one without groups the last.
    """

    head: str
    groups: tuple[Group, ...] = ()
    indent: int = 0
    urgent: bool = False

    def text(self, most: int | None = None, notes: int | None = None) -> str:
        """Return the sentence with so many names of each group, and so many notes; with all by default."""
        kept = len(self.groups) if notes is None else notes
        said = "; ".join(group.text(most, place < kept) for place, group in enumerate(self.groups))
        end = "" if not self.groups and self.head.endswith((".", "?", "!", ":")) else "."
        return f"{self.head}{': ' if self.head and said else ''}{said}{end}"

    def lines(self, width: int, height: int) -> tuple[list[str], bool]:
        """Return the sentence in so many lines of a width, and whether it is whole: with fewer names, else cut."""
        for place, text in enumerate(self._texts()):
            if len(found := self._filled(text, width)) <= height:
                return found, place == 0
        *found, last = self._filled(text, width)[:height]
        return [*found, f"{self._filled(last, width - 4)[0]} ..."], False

    @property
    def place(self) -> int:
        """Sort key: the order in which sentences have a further line."""
        return 0 if self.urgent else 1 if self.groups else 2

    def _texts(self) -> Iterator[str]:
        yield self.text()
        yield from (self.text(*shorter) for shorter in (_SHORTER if self.groups else ()))
        for count in range(len(self.groups) - 1, 0, -1):
            yield f"{replace(self, groups=self.groups[:count]).text(1, 0).removesuffix('.')}; ..."

    def _filled(self, text: str, width: int) -> list[str]:
        from harness.report.wrapping import filled  # loads rich, which the JSON of an answer does without

        return filled(text, width, " " * self.indent, " " * self.indent)
