"""Lists below a report's tables, in any format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.report import claimed, gates, prose, unadjusted
from harness.report.glyphs import Glyphs
from harness.report.parts import View
from harness.results import Outcome


class Section(NamedTuple):
    """A title over some lines; `style` is the color of the title, if there are colors."""

    title: str
    lines: list[str]
    style: str = ""


def verdicts(view: View, ink: Glyphs) -> Iterator[Section]:
    """Yield the sections on claims, gates and undecided comparisons; empty sections are left out."""
    kept = [f"{ink.sign(passed)} {ink(line)}" for passed, line in gates.lines(view.run)]
    tested = [
        f"{'  ' if place else ink.sign(held)} {ink(line)}"
        for held, found in claimed.lines(view.run)
        for place, line in enumerate(found)
    ]
    failing = any(each.outcome is Outcome.FAILS for each in view.run.claims)
    yield from _filled(Section("Claims", tested, "red" if failing else ""))
    yield from _filled(Section("Gates", kept, "red" if gates.broken(view.run) else ""))
    yield from _filled(Section("What would decide the undecided", [*map(ink, prose.undecided(view))], "yellow"))


def remarks(view: View, ink: Glyphs) -> Iterator[Section]:
    """Yield the sections on published numbers, issues and notes; empty sections are left out."""
    yield from _filled(Section("Published, not measured here", [*map(ink, prose.published(view))]))
    yield from _filled(Section("Issues", [*map(ink, [*prose.lost(view), *prose.issues(view)])], "red"))
    yield from _filled(Section("Notes", [*map(ink, [*unadjusted.notes(view), *prose.notes(view)])]))


def _filled(section: Section) -> list[Section]:
    lines = [line for line in section.lines if line.strip()]
    return [section._replace(lines=lines)] if lines else []
