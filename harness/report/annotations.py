"""Annotations of a GitHub job: a line for every broken gate, failed condition, row without a result, and issue.

GitHub reads them on stdout and stderr of a step: `::error title=T::MESSAGE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from harness.analysis.pairing import full_name
from harness.report import exit_status, gates, prose
from harness.report.glyphs import Glyphs
from harness.report.view import view
from harness.report.words import NO_REASON, reason
from harness.results import LOST, FailOn, Run, Status

MOST = 10
"""Annotations of one kind that GitHub shows of a step."""
SAME: Mapping[bool, FailOn] = MappingProxyType({True: FailOn.ERROR, False: FailOn.SKIPPED})
"""Whether a row is lost -> the condition that says the same of it."""


class Annotation(NamedTuple):
    """An annotation: the kind (error, warning or notice), the title, the message."""

    kind: str
    title: str
    message: str


def lines(run: Run, conditions: Sequence[str], file: str = "") -> Iterator[str]:
    """Yield the annotations of a run; they are shown at a file of the repository, that of the suite."""
    ink, found = Glyphs(), list(_found(run, conditions))
    for kind in ("error", "warning"):
        own = [each for each in found if each.kind == kind]
        shown = own if len(own) <= MOST else own[: MOST - 1]
        for each in shown:
            yield command(kind, ink(each.message), {"file": file, "title": ink(f"{run.suite}: {each.title}")})
        if len(shown) < len(own):
            rest = f"and {len(own) - len(shown)} more: see the report"
            yield command(kind, rest, {"file": file, "title": ink(run.suite)})


def command(kind: str, message: str, properties: Mapping[str, str]) -> str:
    """Return a workflow command; empty properties are left out.

    >>> command("error", "5 % worse", {"title": "a: b, c", "file": ""})
    '::error title=a%3A b%2C c::5 %25 worse'
    """
    said = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    return f"::{kind}{said and f' {said}'}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _found(run: Run, conditions: Sequence[str]) -> Iterator[Annotation]:
    yield from (Annotation("error", "gate", line) for line in gates.broken(run))
    yield from (Annotation("error", "--fail-on", line) for line in exit_status.conditions_met(run, conditions))
    for row in run.cells:
        if row.status is Status.OK or SAME[row.status in LOST] in conditions:
            continue
        why = reason(row.why) if row.why else NO_REASON
        kind = "error" if row.status in LOST else "warning"
        yield Annotation(kind, str(row.status), f"{full_name(run, row.vary)}: {why}")
    yield from (Annotation("warning", "issue", line) for line in prose.issues(view(run)))
