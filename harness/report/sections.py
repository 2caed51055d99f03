"""The lists below a report's tables, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.report import gates, prose
from harness.report.ink import Ink
from harness.report.parts import View


class Section(NamedTuple):
    """A title over some lines; `style` is the colour of the title, where there are colours."""

    title: str
    lines: list[str]
    style: str = ""


def verdicts(view: View, ink: Ink) -> Iterator[Section]:
    """What holds and what is open; empty sections are left out."""
    kept = [f"{ink.sign(passed)} {ink(line)}" for passed, line in gates.lines(view.data)]
    yield from _filled(Section("Gates", kept, "red" if gates.broken(view.data) else ""))
    yield from _filled(Section("What would decide the rest", [*map(ink, prose.undecided(view))], "yellow"))


def remarks(view: View, ink: Ink) -> Iterator[Section]:
    """What else there is to say; empty sections are left out."""
    yield from _filled(Section("Published, not measured here", [*map(ink, prose.published(view))]))
    yield from _filled(Section("Problems", [*map(ink, prose.problems(view))], "red"))
    yield from _filled(Section("Notes", [*map(ink, prose.notes(view))]))
    yield from _filled(Section("Warnings", [*map(ink, view.data.get("warnings") or [])], "yellow"))


def _filled(section: Section) -> list[Section]:
    return [section] if any(section.lines) else []
