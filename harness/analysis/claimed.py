"""What became of claimed orderings, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def told(claims: Sequence[Mapping[str, Any]]) -> list[str]:
    """What became of what was proved and of what was expected, apart: a sentence for each."""
    heads = {"theorem": "By theorem", "expected": "Measured here, and no theorem"}
    said = {head: _clauses(claims, kind) for kind, head in heads.items()}
    return [f"{head}: {'; '.join(clauses)}." for head, clauses in said.items() if clauses]


def _clauses(claims: Sequence[Mapping[str, Any]], kind: str) -> list[str]:
    """One for every two neighbours."""
    relation = "is at least as good as" if kind == "theorem" else "beats"
    return [
        f"{pair['ahead']} {relation} {pair['behind']} in {claim['metric']} ({claim['source']}): {_counts(kind, pair)}"
        for claim in claims
        if claim["kind"] == kind
        for pair in claim["pairs"]
    ]


def _counts(kind: str, pair: Mapping[str, Any]) -> str:
    count = sum(len(pair[part]) for part in ("holds", "fails", "open"))
    words = {"holds": "surely better in", "open": "not told apart in", "fails": "surely worse in"}
    said = [f"{word} {len(pair[part])}{_few(pair[part], part)}" for part, word in words.items() if pair[part]]
    lead = "contradicted" if pair["fails"] else "not contradicted"
    return (f"{lead}, " if kind == "theorem" else "") + ", ".join(said) + f" of {count}"


def _few(places: Sequence[str], part: str, most: int = 6) -> str:
    """Where an order fails is what a reader looks for."""
    if part != "fails" or not any(places):
        return ""
    return f" ({', '.join(places[:most])}{f' and {len(places) - most} more' if len(places) > most else ''})"
