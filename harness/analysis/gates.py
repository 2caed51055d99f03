"""Gates: does every row keep the bounds that the suite sets?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analysis.pairing import Partner
from harness.analysis.verdicts import ALPHA
from harness.suite.gates import COMPARING

Cell = Mapping[str, Any]
Gate = Mapping[str, Any]
Outcome = dict[str, Any]
NOTHING: Outcome = {"baseline": None, "value": None, "low": None, "high": None, "passed": None, "reason": None}


def outcomes(gates: Sequence[Gate], cells: Sequence[Cell], links: Sequence[Partner] | None) -> list[Outcome]:
    """Every gate on every row that it is for, by the finished cells of a Result JSON and their partners.

    "passed" is false where the bound is broken and null where nobody can tell, with a "reason". "value", "low" and
    "high" are what is held against the bound: the row's mean, or how much worse than its baseline it is, as a share of
    the baseline's mean where the gate is "relative". "confirmed" counts measurements in fresh processes that agree.
    """
    return [
        {**gate, "cell": cell["id"], "vary": cell["vary"], **NOTHING, **found, "confirmed": 0}
        for gate in gates
        for index, cell in enumerate(cells)
        for found in _judged(gate, cell, _partner(cells, links, index))
    ]


def _partner(cells: Sequence[Cell], links: Sequence[Partner] | None, index: int) -> Cell | None:
    place = links[index].index if links else None
    return None if place is None else cells[place]


def _judged(gate: Gate, cell: Cell, partner: Cell | None) -> Iterator[Outcome]:
    """The outcome on one row; none on a skipped one, and none of a comparison on the baseline's own."""
    label = gate["metric"]
    if cell["status"] == "skipped" or (gate["rule"] in COMPARING and cell is partner):
        return
    if cell["status"] != "ok":
        yield {"reason": f"{cell['status']}: {cell['reason']}"}
    elif label not in cell["metrics"]:
        yield {"reason": f"the row has no {label}"}
    elif gate["rule"] in COMPARING:
        yield {"baseline": cell["against"][label]["baseline"], **_compared(gate, cell, partner)}
    else:
        yield _bounded(gate, cell["metrics"][label])


def _bounded(gate: Gate, metric: Mapping[str, Any]) -> Outcome:
    """The row's mean against `at_most` or `at_least`; a seed that has no finite value breaks either."""
    value, bound = metric["mean"], gate["bound"]
    kept = None not in metric["values"] and (value <= bound if gate["rule"] == "at_most" else value >= bound)
    return {key: metric[key] for key in ("low", "high", "reason")} | {"value": value, "passed": kept}


def _compared(gate: Gate, cell: Cell, partner: Cell | None) -> Outcome:
    """`worse_than` is broken by a proven regression: significant after Holm, its whole interval beyond the bound.

    `not_worse_than` is kept where non-inferiority is shown: no part of the interval is beyond the bound, and no seed of
    the row is without a finite value.
    """
    entry, shows = cell["against"][gate["metric"]], gate["rule"] == "not_worse_than"
    if partner is None or entry["p"] is None:
        return {"passed": False if shows else None, "reason": entry["reason"]}
    unit = abs(partner["metrics"][gate["metric"]]["mean"]) if gate["relative"] else 1.0
    if unit == 0:
        return {"passed": False if shows else None, "reason": "there are no percentages of a baseline's mean of 0"}
    own = cell["metrics"][gate["metric"]]
    value, low, high = _worse(entry, own["better"], unit)
    shown = None not in own["values"] and high is not None and high <= gate["bound"]
    proven = entry["p_holm"] <= ALPHA and low is not None and low > gate["bound"]
    return {"value": value, "low": low, "high": high, "passed": shown if shows else not proven,
            "reason": entry["reason"]}  # fmt: skip


def _worse(entry: Mapping[str, Any], better: str, unit: float) -> tuple[float, float | None, float | None]:
    """How much worse than the baseline a row is, above 0 where it is worse, with its interval, in some unit."""
    sign = 1 if better == "lower" else -1
    low, high = (entry[key] and sign * entry[key] / unit for key in (("low", "high") if sign == 1 else ("high", "low")))
    return sign * entry["difference"] / unit, low, high
