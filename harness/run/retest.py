"""Repeated measurement of regressions: a single finding in one process may be a temporary effect."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from harness.analysis.pairing import partners, problems
from harness.results import Gate, Labels, Reason, ReasonKind, Run, Status

Again = Callable[[Sequence[int], int], Run]
"""(places of rows in the run, number of the attempt) -> the run that measured them again."""


def confirmed(run: Run, again: Again) -> tuple[Gate, ...]:
    """Return the run's gates; one with `confirm_runs` fails only if so many repeated measurements break it too.

    Whole problems are measured again, so that a contender has the same baseline and the same rivals as before.
    """
    gates = list(run.gates)
    for time in range(1, max((gate.confirm_runs for gate in gates), default=0) + 1):
        doubtful = [k for k, gate in enumerate(gates) if gate.passed is False and gate.confirm_runs >= time]
        if not doubtful:
            break
        found = again(_places(run, [gates[k].vary for k in doubtful]), time).gates
        for k in doubtful:
            gates[k] = _retested(gates[k], next((other for other in found if _same(gates[k], other)), None))
    return tuple(gates)


def _places(run: Run, rows: Sequence[Labels]) -> list[int]:
    """Return the rows of every problem that contains one of these rows or its baseline."""
    links = partners(run, run.cells) or []
    own = {place for place, cell in enumerate(run.cells) if cell.vary in rows}
    own |= {link.index for place, link in enumerate(links) if place in own and link.index is not None}
    return sorted(place for members in problems(run, run.cells).values() if own & set(members) for place in members)


def _same(gate: Gate, other: Gate) -> bool:
    return (gate.metric, gate.rule, gate.vary) == (other.metric, other.rule, other.vary)


def _retested(gate: Gate, other: Gate | None) -> Gate:
    """Return the gate after a repeated measurement; `other` is None if its row was skipped there."""
    if other is None:
        why = Reason(ReasonKind.NOT_CONFIRMED, status=Status.SKIPPED)
        return dataclasses.replace(gate, passed=None, why=why)
    if other.passed is False:
        return dataclasses.replace(gate, confirmed=gate.confirmed + 1)
    if other.passed is None:
        return dataclasses.replace(gate, passed=None, why=Reason(ReasonKind.NOT_CONFIRMED, cause=other.why))
    return dataclasses.replace(gate, passed=True, why=Reason(ReasonKind.NOT_REPEATED))
