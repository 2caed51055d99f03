"""Gates in words: the gate, the row, the amount, kept or broken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.analysis.pairing import full_name
from harness.report.words import counted, reason
from harness.results import Gate, Run

NAMED = 3
"""Number of rows that keep a gate and are named; if there are more they are counted."""

PROVING = ("max_regression", "max_change")
"""Rules that are broken by what is proven alone."""


def broken(run: Run) -> list[str]:
    """Return a line for every row that breaks a gate."""
    return [line(run, gate) for gate in run.gates if gate.passed is False]


def lines(run: Run) -> Iterator[tuple[bool | None, str]]:
    """Yield (kept, sentence) for every gate and row; of many rows that keep a gate only the nearest to its bound.

    A gate that is kept only because nothing beyond its bound is proven is neither kept nor broken to a reader: None.
    """
    groups: dict[str, list[Gate]] = {}
    for gate in run.gates:
        groups.setdefault(named(run, gate), []).append(gate)
    for name, gates in groups.items():
        kept = [each for each in gates if each.passed and each.why is None and not _is_doubtful(each)]
        many = kept if len(kept) > NAMED else []
        single = [each for each in gates if each not in many]
        signs = ((None if _is_doubtful(each) else each.passed, each) for each in sorted(single, key=_broken_first))
        yield from ((sign, line(run, each)) for sign, each in signs)
        if many:
            yield True, f"{name}: {_together(run, many)}"


def _broken_first(gate: Gate) -> int:
    return (False, None, True).index(gate.passed)


def _is_doubtful(gate: Gate) -> bool:
    """Return whether a gate is kept although the value measured is beyond its bound, which is not proven."""
    found = abs(gate.value or 0.0) if gate.rule == "max_change" else gate.value or 0.0
    return gate.rule in PROVING and gate.passed is True and found > gate.bound


def named(run: Run, gate: Gate) -> str:
    """Return the gate as the suite writes it: `nll max_regression 5 %`."""
    return f"{gate.metric} {gate.rule} {_amount(run, gate, gate.bound)}"


def line(run: Run, gate: Gate) -> str:
    """Describe one gate on one row."""
    found = "" if gate.value is None else f" {_found(run, gate, gate.value)}"
    said, times = [full_name(run, gate.vary) + found], gate.confirmed
    said += [f"confirmed by {counted(times, 'fresh measurement')}"] if times and not gate.passed else []
    said += [reason(gate.why)] if gate.why else []
    said += [f"more than {_amount(run, gate, gate.bound)} is not proven"] if _is_doubtful(gate) else []
    return f"{named(run, gate)}: {'; '.join(said)}"


def _together(run: Run, kept: Sequence[Gate]) -> str:
    """Describe the number of rows that keep a gate, and the one nearest to its bound."""
    sign = -1 if kept[0].rule == "min" else 1
    value, nearest = max(((gate.value or 0.0, gate) for gate in kept), key=lambda pair: sign * pair[0])
    return f"kept by {len(kept)} rows, nearest {full_name(run, nearest.vary)} {_found(run, nearest, value)}"


def _found(run: Run, gate: Gate, value: float) -> str:
    """Describe the value compared with the bound: `is 7.1 % worse than hinge (95 %: 5.3 % to 9 %)`."""
    if gate.baseline is None:
        return f"has {_amount(run, gate, value)}"
    said = f"is {_amount(run, gate, abs(value))} {'worse' if value >= 0 else 'better'} than {gate.baseline}"
    if gate.low is None or gate.high is None:
        return said
    ends = (gate.low, gate.high) if value >= 0 else (-gate.high, -gate.low)
    return f"{said} (95 %: {' to '.join(_amount(run, gate, end) for end in ends)})"


def _amount(run: Run, gate: Gate, number: float) -> str:
    if gate.relative:
        return f"{100 * number:.3g} %"
    unit = next((metric.unit for metric in run.metrics if metric.label == gate.metric), None)
    return f"{number:.3g} {unit}" if unit else f"{number:.3g}"
