"""What else differs between two stored runs: what a reader must know before a change of the numbers is believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analysis.pairing import full_name

Result = Mapping[str, Any]
Pair = tuple[Mapping[str, Any], Mapping[str, Any]]
MISSING = "none"
SHOWN = 6
"""Names that are spelled out; the others are counted."""


def changes(before: Result, after: Result, pairs: Sequence[Pair]) -> list[str]:
    """A line for everything that differs: surroundings, versions, digests of plugins, code of rows, rows, metrics."""
    return [
        *_surroundings(before, after),
        *_code(after, pairs),
        *_times(after),
        *_alone(before, [one["vary"] for one, _ in pairs], "before"),
        *_alone(after, [cell["vary"] for _, cell in pairs], "after"),
        *_metrics(before, after),
    ]


def _surroundings(before: Result, after: Result) -> Iterator[str]:
    """Machine, versions, threads, digests of plugins, version of the protocol."""
    old, new = (dict(_facts("", _surrounding(each))) for each in (before, after))
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            yield f"{name}: {_said(old.get(name))} before, {_said(new.get(name))} after"


def _surrounding(result: Result) -> dict[str, Any]:
    return {**result["environment"], f"version of {result['protocol']}": result.get("protocol_version")}


def _facts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of everything in nested mappings."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _facts(f"{name}.{key}" if name else str(key), inner)
    else:
        yield name, value


def _said(value: Any) -> str:
    return MISSING if value is None else str(value)


def _code(after: Result, pairs: Sequence[Pair]) -> Iterator[str]:
    other = [cell["vary"] for one, cell in pairs if one["id"] != cell["id"]]
    if other:
        yield f"measured by other code, or with other parameters or settings: {_rows(after, other)}"
    same = [cell["vary"] for one, cell in pairs if one["metrics"] == cell["metrics"] and cell["status"] == "ok"]
    if same:
        yield f"the same numbers in both runs: {_rows(after, same)}"


def is_time(metric: Mapping[str, Any]) -> bool:
    """Whether a metric is of the moment: in seconds, or compared by ratio within the blocks of one run."""
    return metric["unit"] == "s" or metric.get("ratio") is not None


def _times(after: Result) -> Iterator[str]:
    times = [metric["label"] for metric in after["measure"] if is_time(metric)]
    if times:
        yield f"times of two runs show a trend and prove nothing, the machine may have changed: {', '.join(times)}"


def _alone(result: Result, common: Sequence[Mapping[str, Any]], side: str) -> Iterator[str]:
    alone = [cell["vary"] for cell in result["cells"] if cell["vary"] not in common]
    if alone:
        yield f"only {side}: {_rows(result, alone)}"


def _metrics(before: Result, after: Result) -> Iterator[str]:
    old, new = ([metric["label"] for metric in each["measure"]] for each in (before, after))
    for side, labels in (("before", [x for x in old if x not in new]), ("after", [x for x in new if x not in old])):
        if labels:
            yield f"measured only {side}: {', '.join(labels)}"


def _rows(result: Result, rows: Sequence[Mapping[str, Any]]) -> str:
    names = [full_name(result, vary) for vary in rows[:SHOWN]]
    return ", ".join(names) + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")
