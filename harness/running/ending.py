"""How a finished run ends: the exit code, and a line for every gate and condition of `--fail-on` that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from harness.analysis.pairing import full_name
from harness.errors import BenchError
from harness.report.gates import broken

if TYPE_CHECKING:
    from harness.running.preparation import Prepared

Result = Mapping[str, Any]


def ended(result: Result, conditions: Sequence[str]) -> int:
    """The exit code: 4 and 3 of what was measured come first, then 1 where a gate or a condition failed."""
    return int(result["exit"] or bool(reasons(result, conditions)))


def reasons(result: Result, conditions: Sequence[str]) -> list[str]:
    """A line for every reason to end with 1."""
    gates = [f"gate: {line}" for line in broken(result)]
    return gates + [f"{name}: {line}" for name in conditions for line in CONDITIONS[name](result)]


def unknown(result: Result, conditions: Sequence[str]) -> list[str]:
    """A line for every condition that nobody can judge here."""
    asked = "unfit" in conditions and not result["environment"].get("doctor")
    return ["unfit: nothing is known of this machine's false alarms, bench doctor finds out"] if asked else []


def check(conditions: Sequence[str], prepared: Prepared, compared: bool = False) -> None:
    """Raises BenchError for a condition that no result of the suite could meet, so that it is not kept by mistake.

    Where it is `compared` with an earlier run it needs no baseline of its own.
    """
    first = prepared.suite.measure[0]["name"]
    judges = prepared.catalogue.table["metric", first]["facts"]["better"] is not None
    for name in conditions:
        lonely = prepared.suite.baseline is None and not compared
        if name in ("regression", "undecided") and (lonely or not judges):
            why = f"{first}, the first metric, only describes" if not judges else "the suite has no baseline"
            raise BenchError(f"--fail-on {name}: {why}", str(prepared.suite.file))


def _regression(result: Result) -> Iterator[str]:
    for cell, entry in _compared(result):
        if entry["verdict"] == "worse":
            yield f"{full_name(result, cell['vary'])} is worse than {entry['baseline']} in {_primary(result)}"


def _undecided(result: Result) -> Iterator[str]:
    """No verdict of a difference that was measured is undecided too: nobody could tell."""
    for cell, entry in _compared(result):
        if entry["verdict"] == "undecided" or (entry["verdict"] is None and entry["difference"] is not None):
            told = f"{full_name(result, cell['vary'])} is not told apart from {entry['baseline']} in {_primary(result)}"
            yield f"{told}: {entry['reason']}" if entry["reason"] else told


def _skipped(result: Result) -> Iterator[str]:
    return (_ended(result, cell) for cell in result["cells"] if cell["status"] == "skipped")


def _error(result: Result) -> Iterator[str]:
    return (_ended(result, cell) for cell in result["cells"] if cell["status"] not in ("ok", "skipped"))


def _unfit(result: Result) -> Iterator[str]:
    """By the doctor's run of equal functions under two names: how often this machine told them apart."""
    doctor = result["environment"].get("doctor")
    if doctor and doctor["false_positive_rate"] > doctor["alpha"]:
        found, alpha = (f"{100 * doctor[key]:.3g} %" for key in ("false_positive_rate", "alpha"))
        yield f"this machine tells equal functions apart in {found} of cases, more than {alpha}"


CONDITIONS: Mapping[str, Callable[[Result], Iterator[str]]] = MappingProxyType(
    {"regression": _regression, "undecided": _undecided, "skipped": _skipped, "unfit": _unfit, "error": _error}
)
"""What `--fail-on` can name -> the lines that say of whom it is true."""


def _compared(result: Result) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Every row with its comparison in the primary metric."""
    for cell in result["cells"]:
        if entry := cell["against"].get(_primary(result)):
            yield cell, entry


def _primary(result: Result) -> str:
    return str(result["measure"][0]["label"])


def _ended(result: Result, cell: Mapping[str, Any]) -> str:
    return f"{full_name(result, cell['vary'])} {cell['status']}: {cell['reason'] or 'no reason given'}"
