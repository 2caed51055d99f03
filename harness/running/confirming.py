"""Regressions measured again: what is found once, in one process, may be the moment's doing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.analysis.pairing import partners, problems

Outcome = dict[str, Any]
Again = Callable[[Sequence[int], int], Mapping[str, Any]]
"""(places of cells in the result, number of the attempt) -> the result of measuring them afresh."""
SKIPPED: Outcome = {"passed": None, "reason": "the row was skipped"}


def confirmed(result: Mapping[str, Any], again: Again) -> list[Outcome]:
    """The result's gates; one that asks to `confirm` fails only where so many fresh measurements break it too.

    Whole problems are measured again, so that a contender meets its baseline and all the others as before.
    """
    gates = [dict(outcome) for outcome in result["gates"]]
    for time in range(1, max((gate["confirm"] for gate in gates), default=0) + 1):
        doubtful = [gate for gate in gates if gate["passed"] is False and gate["confirm"] >= time]
        if not doubtful:
            break
        found = again(_places(result, [gate["vary"] for gate in doubtful]), time)["gates"]
        for gate in doubtful:
            gate |= _heard(gate, next((other for other in found if _same(gate, other)), SKIPPED))
    return gates


def _places(result: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """The cells of every problem that has one of the rows, or what one is compared with."""
    links = partners(result) or []
    own = {place for place, cell in enumerate(result["cells"]) if cell["vary"] in rows}
    own |= {link.index for place, link in enumerate(links) if place in own and link.index is not None}
    return sorted(place for members in problems(result).values() if own & set(members) for place in members)


def _same(gate: Outcome, other: Outcome) -> bool:
    return all(gate[key] == other[key] for key in ("metric", "rule", "vary"))


def _heard(gate: Outcome, other: Outcome) -> Outcome:
    """What a fresh measurement changes about an outcome."""
    if other["passed"] is False:
        return {"confirmed": gate["confirmed"] + 1}
    if other["passed"] is None:
        return {"passed": None, "reason": f"it could not be confirmed: {other['reason']}"}
    return {"passed": True, "reason": "measured again in fresh processes the regression was not proven"}
