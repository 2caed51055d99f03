"""Verdicts that the interval beside them seems to contradict, since only the verdicts are adjusted by Holm."""

from __future__ import annotations

from harness.report.parts import Entry, View
from harness.report.prose import whose
from harness.report.words import together
from harness.results import Comparison, ReasonKind, Verdict

_DECIDED = (Verdict.BETTER, Verdict.WORSE)


def notes(view: View) -> list[str]:
    """Say why verdicts and intervals disagree, one line for each metric and way of doing so."""
    return [line for name in view.names for line in _of(view, name)]


def _of(view: View, name: str) -> list[str]:
    found = [(entry, each) for entry in view.entries if (each := entry.against(name)) is not None]
    without = [(entry, each) for entry, each in found if each.verdict is Verdict.UNDECIDED and _leaves_out(each)]
    within = [entry for entry, each in found if each.verdict in _DECIDED and _includes(each)]
    lines = []
    if without:
        family = max(each.family for _, each in without)
        lines.append(
            f"{name}: the interval of {_named([entry for entry, _ in without], view)} leaves out no difference, and is "
            f"for one comparison; the verdict is for all {family} together (Holm), and undecided"
        )
    if within:
        lines.append(
            f"{name}: the interval of {_named(within, view)} includes no difference, and the test, which is another "
            "method, decides"
        )
    return lines


def _named(entries: list[Entry], view: View) -> str:
    return together(whose(entries, view))


def _includes(found: Comparison) -> bool:
    return found.low is not None and found.high is not None and found.low <= 0 <= found.high


def _leaves_out(found: Comparison) -> bool:
    """Return whether an interval lies on one side of zero, for a difference that is not too small to matter."""
    negligible = found.why is not None and found.why.kind is ReasonKind.NEGLIGIBLE
    return found.low is not None and found.high is not None and not _includes(found) and not negligible
