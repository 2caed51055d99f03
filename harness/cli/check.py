"""Output of conformance checks: one line per verdict, and a summary."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from rich.console import Console
from rich.text import Text

from harness.commands.check import Checked
from harness.conformance import Verdict
from harness.report.glyphs import Glyphs

_STYLES: Mapping[bool | None, str] = MappingProxyType({True: "green", False: "bold red", None: "dim"})


def show(found: Iterable[Checked], console: Console) -> bool:
    """Print each component as its checks finish; return whether no check failed."""
    ink, counts = Glyphs(console.encoding), {True: 0, False: 0, None: 0}
    for checked in found:
        _print(console, f"{ink(checked.kind)} {ink(checked.label)}", "bold", 0)
        _print(console, ink(_near(checked.place)), "dim", 2)
        for verdict in checked.verdicts:
            counts[verdict.passed] += 1
            _verdict(console, verdict, ink)
        if not checked.verdicts:
            _print(console, f"registered; a {checked.kind} has no conformance checks", "", 2)
        console.print()
    words = ((True, "passed"), (False, "failed"), (None, "not applicable"))
    total = ", ".join(f"{counts[passed]} {word}" for passed, word in words if counts[passed]) or "no conformance checks"
    _print(console, total, "bold", 0)
    return not counts[False]


def _verdict(console: Console, verdict: Verdict, ink: Glyphs) -> None:
    _print(console, f"{ink.sign(verdict.passed)} {ink(verdict.says)}", _STYLES[verdict.passed], 2)


def _print(console: Console, text: str, style: str, indent: int) -> None:
    """Print text wrapped at spaces, with further lines indented by two columns."""
    lead = " " * indent
    lines = textwrap.wrap(
        text, console.width, initial_indent=lead, subsequent_indent=f"{lead}  ", break_on_hyphens=False
    )
    for line in lines:
        console.print(Text(line, style=style), soft_wrap=True)


def _near(place: str) -> str:
    """Return the place relative to the working directory if it lies below it."""
    here = f"{Path.cwd()}/"
    return place.removeprefix(here)
