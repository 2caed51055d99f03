"""Exit code of a finished run, computed from its results, and every cause of an exit code 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from harness.results import LOST, Comparison, FailOn, Gate, ReasonKind, Row, RowInfo, Run, Status, Verdict


@dataclass(frozen=True)
class ExitCause:
    """One cause of an exit code 1: a broken gate, or a condition with the row and comparison that meet it."""

    condition: FailOn | None = None
    gate: Gate | None = None
    row: Row | None = None
    comparison: Comparison | None = None


def exit_code(run: Run, conditions: Sequence[str]) -> int:
    """Return the exit code: 4 and 3 from the measurement come first, then 1 if a gate or a condition failed."""
    return run.exit or int(bool(causes(run, conditions)))


def causes(run: Run, conditions: Sequence[str]) -> list[ExitCause]:
    """Return every cause of an exit code 1."""
    broken = [ExitCause(gate=gate) for gate in run.gates if gate.passed is False]
    return broken + [cause for name in conditions for cause in CONDITIONS[FailOn(name)](run)]


def is_lost(row: RowInfo) -> bool:
    """Whether a row has no result and might have one when it is measured again: it, or an artifact of it, failed."""
    return row.status in LOST or (
        row.status is Status.SKIPPED and row.why is not None and row.why.kind is ReasonKind.ARTIFACT
    )


def unknown(run: Run, conditions: Sequence[str]) -> list[FailOn]:
    """Return the conditions that cannot be judged here: `noisy` if `bench doctor` was never run."""
    return [FailOn.NOISY] if FailOn.NOISY in conditions and not run.environment.get("doctor") else []


def _regression(run: Run) -> Iterator[ExitCause]:
    for row, entry in _compared(run):
        if entry.verdict is Verdict.WORSE:
            yield ExitCause(FailOn.REGRESSION, row=row, comparison=entry)


def _undecided(run: Run) -> Iterator[ExitCause]:
    """Yield undecided comparisons; a difference without a verdict counts as undecided, save that of a control."""
    for row, entry in _compared(run):
        if entry.why is not None and entry.why.kind is ReasonKind.CONTROL:
            continue
        if entry.verdict is Verdict.UNDECIDED or (entry.verdict is None and entry.difference is not None):
            yield ExitCause(FailOn.UNDECIDED, row=row, comparison=entry)


def _skipped(run: Run) -> Iterator[ExitCause]:
    return (ExitCause(FailOn.SKIPPED, row=row) for row in run.cells if row.status is Status.SKIPPED)


def _error(run: Run) -> Iterator[ExitCause]:
    return (ExitCause(FailOn.ERROR, row=row) for row in run.cells if row.status in LOST)


def _noisy(run: Run) -> Iterator[ExitCause]:
    """Yield a cause if `bench doctor` found significant differences between equal functions too often."""
    doctor = run.environment.get("doctor")
    if isinstance(doctor, dict):
        rate, alpha = doctor["false_positive_rate"], doctor["alpha"]
        if isinstance(rate, float) and isinstance(alpha, float) and rate > alpha:
            yield ExitCause(FailOn.NOISY)


CONDITIONS: Mapping[FailOn, Callable[[Run], Iterator[ExitCause]]] = MappingProxyType(
    {
        FailOn.REGRESSION: _regression,
        FailOn.UNDECIDED: _undecided,
        FailOn.SKIPPED: _skipped,
        FailOn.NOISY: _noisy,
        FailOn.ERROR: _error,
    }
)
"""Condition of `--fail-on` -> the causes that meet it."""


def _compared(run: Run) -> Iterator[tuple[Row, Comparison]]:
    """Yield every row with its comparison in the primary metric."""
    for row in run.cells:
        if entry := row.against.get(run.primary.label):
            yield row, entry
