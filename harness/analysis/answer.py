"""The answer in sentences: what the primary metric says, how sure it is, and what would decide the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.claimed import told
from harness.analysis.pairing import naming, problems, replicates, text

Cell = Mapping[str, Any]
Entry = Mapping[str, Any]
Groups = Mapping[str | None, Sequence[tuple[Cell, Entry]]]

NAMED = 3
"""Problems, names or reasons that are spelled out; the others are counted."""
SPELLED = {"better": 3, "worse": 1, "same": 2, "undecided": 2}
"""Comparisons of each verdict that are spelled out."""
LISTED = 12
"""Further comparisons of a verdict that are named; where there are more they are counted."""
ENDS = {"failed": "failed", "crashed": "crashed", "timeout": "timed out", "oom": "ran out of memory"}


def answer(result: Mapping[str, Any]) -> str:
    """The answer to the suite's question from a Result JSON, by the first metric of `measure`."""
    metric = result["measure"][0]
    measured = [cell for cell in result["cells"] if metric["label"] in cell["metrics"]]
    if not measured:
        body = [f"No row has a value of {metric['label']}."]
    elif metric["better"] is None:
        body = [f"{metric['label']} comes first in `measure`, but it describes and judges nothing."]
    elif result["baseline"] is None:
        body = _bests(result, metric)
    else:
        body = _verdicts(result, metric)
    return " ".join(line for line in [*body, *told(result.get("claims") or ()), *_unmeasured(result)] if line)


def _verdicts(result: Mapping[str, Any], metric: Mapping[str, Any]) -> list[str]:
    label = metric["label"]
    groups: dict[str | None, list[tuple[Cell, Entry]]] = {}
    for cell in result["cells"]:
        if entry := cell["against"].get(label):
            groups.setdefault(entry["verdict"], []).append((cell, entry))
    if not groups:
        return [f"Nothing was compared in {label}: only the baseline's row was measured."]
    for pairs in groups.values():
        pairs.sort(key=_order)
    none = not groups.keys() & {"better", "worse", "same"} and "undecided" in groups
    return [
        f"No row is told apart from its baseline in {label}." if none else "",
        _list(result, groups, "better", lambda *pair: _told(result, metric, "beats", *pair), "better too"),
        _list(result, groups, "worse", lambda *pair: _told(result, metric, "loses to", *pair), "worse too"),
        _list(result, groups, "same", lambda *pair: _alike(result, metric, *pair), "the same too"),
        _list(result, groups, "undecided", lambda *pair: _open(result, metric, *pair), "undecided"),
        *_silent(result, groups.get(None, [])),
    ]


def _order(pair: tuple[Cell, Entry]) -> tuple[float, float]:
    """The surest first; among undecided ones, what the fewest seeds would decide."""
    entry = pair[1]
    seeds = entry["needed"]["seeds"] if entry["verdict"] == "undecided" else None
    return (seeds if seeds is not None else float("inf"), entry["p"] or 0.0)


def _list(result: Mapping[str, Any], groups: Groups, verdict: str, say: Any, rest: str) -> str:
    """The first few of a verdict in full, the others counted and, where they are not too many, named."""
    pairs = groups.get(verdict, [])
    said = [say(cell, entry) for cell, entry in pairs[: SPELLED[verdict]]]
    more = [cell for cell, _ in pairs[len(said) :]]
    named = f": {_where(result, more)}" if 0 < len(more) <= LISTED else ""
    said += [f"{len(more)} more {'is' if len(more) == 1 else 'are'} {rest}{named}"] if more else []
    return "; ".join(said) + "." if said else ""


def _where(result: Mapping[str, Any], cells: Sequence[Cell]) -> str:
    """Every row with its places: `a on x and y, b on x`."""
    places: dict[str, list[str]] = {}
    for cell in cells:
        places.setdefault(_row(result, cell), []).append(text(cell["vary"], naming(result)[1]))
    return ", ".join(f"{row} on {_and(found)}" if any(found) else row for row, found in places.items())


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _told(result: Mapping[str, Any], metric: Mapping[str, Any], verb: str, cell: Cell, entry: Entry) -> str:
    ratio, size, low, high = entry.get("ratio"), entry["difference"], entry["low"], entry["high"]
    if ratio:
        size, low, high = ratio["ratio"], ratio["low"], ratio["high"]
    elif size < 0:
        size, low, high = -size, high and -high, low and -low
    shown = f"a factor of {_number(size)}" if ratio else f"{_number(size)}{_unit(metric)}"
    numbers = f"{shown} (95 %: {_range(low, high)}; {adjusted(entry['p_holm'])})"
    return f"{_row(result, cell)} {verb} {entry['baseline']} in {metric['label']}{_place(result, cell)} by {numbers}"


def _alike(result: Mapping[str, Any], metric: Mapping[str, Any], cell: Cell, entry: Entry) -> str:
    numbers = f"{_number(entry['difference'])}{_unit(metric)}, {_range(entry['low'], entry['high'])}"
    who = f"{_row(result, cell)} is the same as {entry['baseline']} in {metric['label']}{_place(result, cell)}"
    return f"{who} within the margin (difference {numbers})"


def _open(result: Mapping[str, Any], metric: Mapping[str, Any], cell: Cell, entry: Entry) -> str:
    size = f"{_number(entry['difference'])}{_unit(metric)}"
    numbers = f"{size}, {_range(entry['low'], entry['high'])}, {adjusted(entry['p_holm'])}"
    who = f"{_row(result, cell)} is not told apart from {entry['baseline']}{_place(result, cell)}"
    return f"{who} (difference {numbers}): {_decides(entry, replicates(result))}"


def _decides(entry: Entry, noun: str) -> str:
    """What would decide it, if the true difference is as large as the one seen; `noun` is seeds or blocks."""
    seeds, examples = entry["needed"]["seeds"], entry["needed"]["examples"]
    if entry["p"] == 1 and seeds is None and examples is None:
        return "no difference was seen"
    if seeds is None and examples is None:
        also = " nor more test examples alone" if entry["interval"] != "seeds" else ""
        return f"{f'neither more {noun}' if also else f'no number of {noun}'}{also} would decide it"
    if seeds is None:
        return f"no number of {noun} decides it, about {about(examples)} more test examples would"
    other = f" or {about(examples)} more test examples" if examples is not None else ""
    return f"needs about {about(seeds)} more {noun.removesuffix('s') if seeds == 1 else noun}{other}"


def _silent(result: Mapping[str, Any], pairs: Sequence[tuple[Cell, Entry]]) -> list[str]:
    reasons = Counter(entry["reason"] for _, entry in pairs)
    return [
        f"{n} comparison{'s have' if n > 1 else ' has'} no verdict: {why}." for why, n in reasons.most_common(NAMED)
    ]


def _bests(result: Mapping[str, Any], metric: Mapping[str, Any]) -> list[str]:
    label, lines, winners = metric["label"], [], []
    for members in problems(result).values():
        cells = [result["cells"][i] for i in members if label in result["cells"][i]["best"]]
        rank = {mark: [cell for cell in cells if cell["best"][label] == mark] for mark in ("best", "tied", "beaten")}
        if not rank["best"]:
            continue
        first = rank["best"][0]
        winners.append(_names(result, rank["best"]))
        found = first["metrics"][label]
        where = f"in {label}{_place(result, first)} ({_number(found['mean'])}{_unit(metric)}"
        verb = ("is" if len(rank["best"]) == 1 else "are") + " best" if len(cells) > 1 else "was measured"
        tied = f"; not told apart: {_names(result, rank['tied'])}" if rank["tied"] else ""
        beaten = f"; {len(rank['beaten'])} beaten" if rank["beaten"] else ""
        lines.append(f"{winners[-1]} {verb} {where}, {_range(found['low'], found['high'])}){tied}{beaten}.")
    rest = Counter(winners[NAMED:])
    counts = ", ".join(f"{name} in {n}" for name, n in rest.most_common(NAMED))
    return lines[:NAMED] + ([f"Best in the {rest.total()} other problems: {counts}."] if rest else [])


def _names(result: Mapping[str, Any], cells: Sequence[Cell]) -> str:
    names = [_row(result, cell) for cell in cells[:NAMED]]
    more = [f"{len(cells) - NAMED} more"] if len(cells) > NAMED else []
    return _and(names + more)


def _unmeasured(result: Mapping[str, Any]) -> list[str]:
    lost = [cell for cell in result["cells"] if cell["status"] in ENDS]
    said = [f"{_row(result, c)}{_place(result, c)} {ENDS[c['status']]} ({c['reason']})" for c in lost[:NAMED]]
    said += [f"{len(lost) - NAMED} more did not finish"] if len(lost) > NAMED else []
    skipped = sum(cell["status"] == "skipped" for cell in result["cells"])
    lines = ["; ".join(said) + "."] if said else []
    return lines + ([f"{skipped} row{'s were' if skipped > 1 else ' was'} skipped."] if skipped else [])


def _row(result: Mapping[str, Any], cell: Cell) -> str:
    return text(cell["vary"], naming(result)[0])


def _place(result: Mapping[str, Any], cell: Cell) -> str:
    where = text(cell["vary"], naming(result)[1])
    return f" on {where}" if where else ""


def _unit(metric: Mapping[str, Any]) -> str:
    return f" {metric['unit']}" if metric["unit"] else ""


def _range(low: float | None, high: float | None) -> str:
    return "no interval" if low is None or high is None else f"{_number(low)} to {_number(high)}"


def adjusted(p: float) -> str:
    """`adjusted p = 0.012`."""
    return "adjusted p < 0.001" if p < 0.001 else f"adjusted p = {p:.2g}"


def _number(value: float) -> str:
    return f"{value:.3g}"


def about(count: int) -> str:
    """Two significant digits, rounded up."""
    step = 10 ** max(len(str(count)) - 2, 0)
    return f"{-(-count // step) * step:,}"
