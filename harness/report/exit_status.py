"""Reasons for exit code 1, in words for stderr."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.analysis.exit_status import ExitCause, causes, unknown
from harness.analysis.pairing import full_name
from harness.report import gates
from harness.report.words import reason
from harness.results import Run
from harness.results.statements import FailOn


def lines(run: Run, conditions: Sequence[str]) -> Iterator[str]:
    """Yield a line for every cause, and one for every condition that cannot be judged."""
    yield from (f"gate: {line}" for line in gates.broken(run))
    yield from conditions_met(run, conditions)
    yield from unjudged(run, conditions)


def conditions_met(run: Run, conditions: Sequence[str]) -> Iterator[str]:
    """Yield a line for everything that meets a condition of `--fail-on`."""
    for cause in causes(run, conditions):
        if cause.gate is None:
            yield f"{cause.condition}: {_said(run, cause)}"


def unjudged(run: Run, conditions: Sequence[str]) -> Iterator[str]:
    """Yield a line for every condition that cannot be judged."""
    for _ in unknown(run, conditions):
        yield "noisy: nothing is known of this machine's false alarms, bench doctor finds out"


def _said(run: Run, cause: ExitCause) -> str:
    row, entry = cause.row, cause.comparison
    if row is None:
        return _noise(run)
    name = full_name(run, row.vary)
    if entry is None:
        return f"{name} {row.status}: {reason(row.why) if row.why else 'no reason given'}"
    if cause.condition is FailOn.REGRESSION:
        return f"{name} is worse than {entry.baseline} in {run.primary.label}"
    text = f"{name} is undecided against {entry.baseline} in {run.primary.label}"
    return f"{text}: {reason(entry.why)}" if entry.why else text


def _noise(run: Run) -> str:
    doctor = run.environment["doctor"]
    assert isinstance(doctor, dict)
    found, alpha = (f"{100 * float(str(doctor[key])):.3g} %" for key in ("false_positive_rate", "alpha"))
    return f"timings of equal functions differ significantly in {found} of cases on this machine, more than {alpha}"
