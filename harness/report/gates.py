"""Gates in words: which one, which row, by how much, kept or broken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analysis.pairing import full_name

Result = Mapping[str, Any]
Outcome = Mapping[str, Any]


def broken(result: Result) -> list[str]:
    """A sentence for every row that breaks a gate."""
    return [_alone(result, outcome) for outcome in result.get("gates") or [] if outcome["passed"] is False]


def lines(result: Result) -> Iterator[tuple[bool | None, str]]:
    """(kept, sentence): rows that break a gate or cannot be judged one by one, those that keep it together."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in result.get("gates") or []:
        groups.setdefault(_gate(result, outcome), []).append(outcome)
    for gate, outcomes in groups.items():
        kept = [each for each in outcomes if each["passed"] and each["reason"] is None]
        rest = [each for each in outcomes if each not in kept]
        yield from ((each["passed"], _alone(result, each)) for each in sorted(rest, key=_broken_first))
        if kept:
            yield True, f"{gate}: {_together(result, kept)}"


def _broken_first(outcome: Outcome) -> bool:
    return outcome["passed"] is not False


def _gate(result: Result, outcome: Outcome) -> str:
    """`nll worse_than 5 %`, as the suite has it."""
    return f"{outcome['metric']} {outcome['rule']} {_amount(result, outcome, outcome['bound'])}"


def _alone(result: Result, outcome: Outcome) -> str:
    found = "" if outcome["value"] is None else f" {_found(result, outcome)}"
    said, times = [full_name(result, outcome["vary"]) + found], outcome["confirmed"]
    said += [f"confirmed by {times} fresh measurement{'s' * (times > 1)}"] if times and not outcome["passed"] else []
    said += [outcome["reason"]] if outcome["reason"] else []
    return f"{_gate(result, outcome)}: {'; '.join(said)}"


def _together(result: Result, kept: Sequence[Outcome]) -> str:
    """How many rows keep a gate, and the one that comes closest to breaking it."""
    sign = -1 if kept[0]["rule"] == "at_least" else 1
    nearest = max(kept, key=lambda each: sign * each["value"])
    count = "1 row, " if len(kept) == 1 else f"{len(kept)} rows, nearest "
    return f"kept by {count}{full_name(result, nearest['vary'])} {_found(result, nearest)}"


def _found(result: Result, outcome: Outcome) -> str:
    """What was held against the bound: `is 7.1 % worse than hinge (95 %: 5.3 % to 9 %)`."""
    value, ends = outcome["value"], [outcome["low"], outcome["high"]]
    if outcome["baseline"] is None:
        return f"has {_amount(result, outcome, value)}"
    how = "worse" if value >= 0 else "better"
    ends = [-end for end in reversed(ends)] if value < 0 and None not in ends else ends
    said = f"is {_amount(result, outcome, abs(value))} {how} than {outcome['baseline']}"
    return said if None in ends else f"{said} (95 %: {' to '.join(_amount(result, outcome, end) for end in ends)})"


def _amount(result: Result, outcome: Outcome, number: float) -> str:
    if outcome["relative"]:
        return f"{100 * number:.3g} %"
    unit = next((each.get("unit") for each in result["measure"] if each["label"] == outcome["metric"]), None)
    return f"{number:.3g} {unit}" if unit else f"{number:.3g}"
