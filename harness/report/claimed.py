"""Results of claimed orders, as statements and in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.analysis.pairing import text
from harness.report.words import together
from harness.results import Claim, ClaimedPair, Run, Statement, StatementKind

_HEADS = {"theorem": "By theorem", "expected": "Measured here, and no theorem"}


def claimed(run: Run) -> Iterator[Statement]:
    """Yield a statement for every pair of neighbors in a claimed order and every problem on which they are compared."""
    for claim in run.claims:
        axes = [axis for axis, labels in run.axes.items() if axis != claim.axis and len(labels) > 1]
        places = {text(row.vary, axes): {axis: row.vary.get(axis) for axis in axes} for row in run.cells}
        for pair in claim.pairs:
            for kind, found in _outcomes(pair):
                for place in found:
                    problem = places.get(place, {})
                    yield Statement(kind, pair.ahead, claim.metric, problem, pair.behind)


def _outcomes(pair: ClaimedPair) -> list[tuple[StatementKind, Sequence[str]]]:
    return [
        (StatementKind.HOLDS, pair.holds),
        (StatementKind.SAME, pair.same or ()),
        (StatementKind.OPEN, pair.open),
        (StatementKind.FAILS, pair.fails),
    ]


def sentences(claims: Sequence[Claim]) -> list[str]:
    """Return one sentence on the results of theorems and one on those of expected orders."""
    said = {head: _clauses(claims, kind) for kind, head in _HEADS.items()}
    return [f"{head}: {'; '.join(clauses)}." for head, clauses in said.items() if clauses]


def _clauses(claims: Sequence[Claim], kind: str) -> list[str]:
    """Return one clause for every pair of neighbors."""
    relation = "is at least as good as" if kind == "theorem" else "beats"
    return [
        f"{pair.ahead} {relation} {pair.behind} in {claim.metric} ({claim.source}): {_counts(kind, pair)}"
        for claim in claims
        if claim.kind == kind
        for pair in claim.pairs
    ]


def _counts(kind: str, pair: ClaimedPair) -> str:
    words = {
        StatementKind.HOLDS: "significantly better in",
        StatementKind.SAME: "identical in",
        StatementKind.OPEN: "undecided in",
        StatementKind.FAILS: "significantly worse in",
    }
    outcomes = _outcomes(pair)
    said = [f"{words[part]} {len(places)}{_few(places, part)}" for part, places in outcomes if places]
    lead = "contradicted" if pair.fails else "not contradicted"
    count = sum(len(places) for _, places in outcomes)
    return (f"{lead}, " if kind == "theorem" else "") + ", ".join(said) + f" of {count}"


def _few(places: Sequence[str], part: StatementKind) -> str:
    """Return the places where an order fails, which need attention; empty for other results."""
    return f" ({together(places)})" if part is StatementKind.FAILS and any(places) else ""
