"""The sentences around the tables: what was run, what is undecided, what the signs mean, what went wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.analysis.answer import about
from harness.analysis.pairing import replicates
from harness.report.columns import VERDICTS
from harness.report.digits import duration
from harness.report.ink import Ink
from harness.report.parts import Row, View

_SOURCES = {"both": "seeds and test examples", "seeds": "seeds", "examples": "test examples"}


def setting(view: View) -> list[str]:
    """Protocol, size, device, version and time."""
    environment = view.data.get("environment") or {}
    torch = environment.get("torch")
    most = max((len(problem.rows) for problem in view.problems), default=0)
    parts = [view.data.get("protocol"), *view.constants, seeds(view)]
    size = f"{counted(len(view.problems), 'problem')} × {counted(most, 'contender')}" if most else ""
    parts += [size, environment.get("device")]
    return [str(part) for part in [*parts, torch and f"torch {torch}", _time(view)] if part]


def counted(n: int, noun: str) -> str:
    """`1 seed`, `32 seeds`."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def seeds(view: View) -> str:
    """How many seeds, or blocks, the rows have; empty where none has any."""
    counts = sorted({len(row.cell.get("seeds") or []) for row in view.rows if row.cell.get("seeds")})
    if len(counts) > 1:
        return f"{counts[0]} to {counts[-1]} {replicates(view.data)}"
    return counted(counts[0], replicates(view.data).removesuffix("s")) if counts else ""


def _time(view: View) -> str:
    """The run's own time; where it does not say, the cells' times added up."""
    if view.data.get("seconds") is not None:
        return duration(view.data["seconds"])
    spent = sum(row.cell.get("seconds") or 0 for row in view.rows)
    return f"{duration(spent)} of measuring" if spent else ""


def undecided(view: View) -> list[str]:
    """What would decide the primary metric where the answer does not say it; contenders with the same need together."""
    clauses = re.split(r"[;.]\s", str(view.data.get("answer") or ""))
    needs: dict[tuple[str, str], list[str]] = {}
    for row in view.rows:
        entry = row.against(view.primary)
        if entry.get("verdict") == "undecided" and not any(_says(clause, row) for clause in clauses):
            need = (
                "no difference was seen" if entry.get("p") == 1 else _need(entry.get("needed"), replicates(view.data))
            )
            needs.setdefault((row.place, need), []).append(row.label)
    return [f"{_together(labels)}{place and f' on {place}'}: {need}" for (place, need), labels in needs.items()]


def _says(clause: str, row: Row) -> bool:
    """Whether this part of the answer says what would decide this row."""
    named = all(re.search(rf"(?<!\w){re.escape(name)}(?![\w(])", clause) for name in (row.label, row.place) if name)
    return named and bool(re.search(r"more (seed|block|test example)|decide", clause))


def _need(needed: Mapping[str, Any] | None, noun: str) -> str:
    found = needed or {}
    nouns = (("seeds", f"more {noun.removesuffix('s')}"), ("examples", "more test example"))
    ways = [
        f"about {about(found[key])} {noun}{'' if found[key] == 1 else 's'}" for key, noun in nouns if found.get(key)
    ]
    return " or ".join(ways) if ways else f"neither {noun} nor test examples alone would decide it"


def legend(view: View, ink: Ink) -> list[list[str]]:
    """Which interval and how many comparisons; then the meaning of the signs that occur."""
    figures = "; ".join(part for part in (_interval(view), _bootstrap(view), _family(view)) if part)
    lines = [[figures] if figures else [], [*_verdicts(view, ink), *_stars(view), *_arrows(view)]]
    return [line for line in lines if line]


def _interval(view: View) -> str:
    kinds: dict[str, list[str]] = {}
    for name in view.names:
        found = {row.metric(name).get("interval") for row in view.rows if row.metric(name).get("low") is not None}
        for kind in sorted(str(kind) for kind in found if kind):
            kinds.setdefault(kind, []).append(name)
    several = len(kinds) > 1
    sources = {**_SOURCES, "seeds": replicates(view.data)}
    texts = [sources.get(kind, kind) + (f" ({', '.join(names)})" if several else "") for kind, names in kinds.items()]
    return f"95 % intervals over {', over '.join(texts)}" if texts else ""


def _bootstrap(view: View) -> str:
    there = any(row.bootstrap(name) for row in view.rows for name in view.names)
    return "within a seed: 95 % by the bootstrap, ends averaged over seeds" if there else ""


def _family(view: View) -> str:
    entries = [row.against(name) for row in view.rows for name in view.names]
    sizes = sorted({entry["family"] for entry in entries if entry.get("family") and entry.get("p_holm") is not None})
    if not sizes or sizes == [1]:
        return ""
    ends = dict.fromkeys((sizes[0], sizes[-1]))
    return f"p adjusted by Holm for {' to '.join(map(str, ends))} comparisons"


def _verdicts(view: View, ink: Ink) -> list[str]:
    found = {row.against(name).get("verdict") for row in view.rows for name in view.names}
    return [f"{ink.mark(verdict)} {verdict}" for verdict in VERDICTS if verdict in found]


def _stars(view: View) -> list[str]:
    found = {row.best(name) for row in view.rows for name in view.names}
    return [text for rank, text in (("best", "★ best"), ("tied", "☆ not told apart from the best")) if rank in found]


def _arrows(view: View) -> list[str]:
    found = {metric.get("better") for metric in view.metrics}
    signs = (("higher", "↑ higher is better"), ("lower", "↓ lower is better"))
    return [text for better, text in signs if better in found]


def published(view: View) -> list[str]:
    """The papers that numbers are taken from, by their numbers."""
    return [f"[{number}] {source}" for number, source in enumerate(view.sources, 1)]


def problems(view: View) -> list[str]:
    """Every cell that has no number or no verdict, with the whole reason; equal reasons together."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in view.rows:
        for reason in dict.fromkeys(_reasons(row)):
            found.setdefault(reason, {}).setdefault(row.label, []).append(row.place)
    return [f"{_where(places, len(view.problems))}: {reason}" for reason, places in found.items()]


def _where(places: Mapping[str, Sequence[str]], count: int) -> str:
    """Contenders and the problems they have it on, those with the same problems together."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for label, titles in places.items():
        groups.setdefault(tuple(titles), []).append(label)
    every = {titles: count > 1 and len(titles) == count for titles in groups}
    on = {titles: "every problem" if every[titles] else _together(list(filter(None, titles))) for titles in groups}
    return "; ".join(f"{_together(labels)}{on[titles] and f' on {on[titles]}'}" for titles, labels in groups.items())


def _reasons(row: Row) -> Iterator[str]:
    if row.status != "ok":
        yield f"{row.status}: {row.cell.get('reason') or 'no reason given'}"
    for name, entry in (row.cell.get("metrics") or {}).items():
        if entry and entry.get("reason"):
            yield f"{name}: {entry['reason']}"
    for name, entry in (row.cell.get("against") or {}).items():
        if entry and entry.get("reason"):
            yield f"{name}{' not compared' if entry.get('verdict') is None else ''}: {entry['reason']}"


def _together(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def notes(view: View) -> list[str]:
    """What to keep in mind of metrics; then the cells' notes, equal ones together."""
    cautions = [f"{metric['label']} {metric['caution']}" for metric in view.metrics if metric.get("caution")]
    found: dict[str, list[str]] = {}
    for row in view.rows:
        for note in row.cell.get("notes") or []:
            found.setdefault(str(note), []).append(row.label)
    return cautions + [
        note if len(names) == len(view.rows) else f"{_together(_unique(names))}: {note}"
        for note, names in found.items()
    ]


def _unique(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))
