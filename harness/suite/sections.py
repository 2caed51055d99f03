"""Keys of a suite with plain data: texts, seeds, choices, margins, plugin names."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.base import same_name
from harness.fields import Json, Schema
from harness.suite.cells import Seeds
from harness.suite.nodes import Items, Node, Pairs, Word, got, is_null
from harness.suite.source import Findings, Place, shown
from harness.suite.values import near_file, numbers, plain_value

MOST_SEEDS = 100_000
COUNT: Schema = {"type": "integer", "minimum": 1, "maximum": MOST_SEEDS}
SEED: Schema = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
SPLITS = ("seed", "fixed")
POSITIVE: Schema = {"type": "number", "exclusiveMinimum": 0}
DEFAULT_SEEDS = 32

JsonSchema = dict[str, object]
"""A piece of the JSON Schema of suite files."""

Entries = Mapping[str, str]
"""Label -> name of the component."""


def listed(node: Node) -> tuple[Node, ...]:
    """Return the items of a list, or a single node as a list of one."""
    return node.items if isinstance(node, Items) else (node,)


def text(node: Node | None, what: str, findings: Findings) -> str | None:
    """Return a printable text on one line (white space is collapsed), or None."""
    if node is None or is_null(node):
        return None
    if isinstance(node, Word) and isinstance(node.value, str):
        flat = " ".join(node.value.split())
        if flat and flat.isprintable():
            return flat
    findings.add(node.place, f"{what}: expected printable text, got {got(node)}")
    return None


def suite_name(node: Node | None, file: Path, findings: Findings) -> str:
    """Return the suite's name, by default the file's stem; it also names folders."""
    name = text(node, "suite", findings) or file.stem
    if node is not None and (name.startswith(".") or any(c in name for c in "/\\:") or len(name) > 100):
        findings.add(node.place, "suite: expected a short name without / \\ : and no dot in front")
    return name


def choice(node: Node | None, what: str, choices: Sequence[str], findings: Findings) -> str:
    """Return one of some words; the first if nothing is written."""
    if node is None or is_null(node):
        return choices[0]
    found = plain_value(node, {"enum": list(choices)}, what, findings)
    return str(found[0]) if found else choices[0]


def devices(node: Node | None, words: Sequence[str], findings: Findings) -> list[str]:
    """Return one or several devices. The first word means automatic choice: alone, or if nothing is written."""
    if node is None or is_null(node):
        return [words[0]]
    found = [str(word) for word in distinct(node, {"enum": list(words)}, "device", findings)]
    if len(found) > 1 and words[0] in found:
        findings.add(node.place, f"device: {words[0]} stands alone")
    return found or [words[0]]


def seeds(node: Node | None, findings: Findings) -> Seeds:
    """Read seeds: N, a list of seeds, or `{n: N or list, split: seed or fixed}`."""
    split = "seed"
    if isinstance(node, Pairs):
        unknown_keys(node, ("n", "split"), "seeds", findings)
        said = node.get("split")
        split = choice(said, "seeds.split", SPLITS, findings)
        if is_null(node.get("n")):
            findings.add(node.place, "seeds: n is missing: {n: 32, split: fixed}")
        node = node.get("n")
    return Seeds(_numbers(node, findings), split)


def _numbers(node: Node | None, findings: Findings) -> tuple[int, ...]:
    if node is None or is_null(node):
        return tuple(range(DEFAULT_SEEDS))
    if not isinstance(node, Items):
        found = numbers(node, COUNT, "seeds", findings)
        return tuple(range(int(found[0]))) if found else ()
    several = distinct(node, SEED, "seeds", findings)
    if len(several) > MOST_SEEDS:
        findings.add(node.place, f"seeds: at most {MOST_SEEDS}")
    return tuple(seed for seed in several if isinstance(seed, int))


def distinct(node: Node, schema: Schema, what: str, findings: Findings) -> list[Json]:
    """Return the values of a list, or of a single value; an empty list and equal values are mistakes."""
    if not listed(node):
        findings.add(node.place, f"{what}: an empty list")
    found: dict[Json, None] = {}
    for item in listed(node):
        for value in plain_value(item, schema, what, findings):
            if value in found:
                findings.add(item.place, f"{what}: {value} is here twice")
            found[value] = None
    return list(found)


def unknown_keys(node: Pairs, known: Iterable[str], what: str, findings: Findings) -> None:
    """Note every key that is not among the known ones."""
    choices = list(known)
    for name, word, _ in node.named():
        if name not in choices:
            findings.add(word.place, f"{what} has no key {shown(word.text)}", word.text, choices)


def plugins(node: Node | None, folder: Path, findings: Findings) -> list[str]:
    """Return plugins: files, relative to the suite's folder, and modules."""
    found: dict[str, None] = {}
    for item in listed(node) if node is not None and not is_null(node) else ():
        if not isinstance(item, Word) or not isinstance(item.value, str) or not item.value.strip():
            findings.add(item.place, f"plugins: expected a file or a module, got {got(item)}")
            continue
        name = item.value
        if name in found:
            findings.add(item.place, f"plugins: {shown(name)} is here twice")
        elif (name.endswith(".py") or "/" in name) and not os.path.exists(folder / name):
            findings.add(item.place, f"plugins: no file {shown(name)} beside the suite{near_file(folder / name)}")
        found[name] = None
    return list(found)


def pick(word: str, entries: Entries) -> list[str]:
    """Return the labels a word matches: the label itself, or else every label whose component has that name."""
    exact = next((name for name in (word, same_name(word)) if name in entries), None)
    return [name for name, component in entries.items() if component == same_name(word)] if exact is None else [exact]


def metric_label(word: str, place: Place, what: str, metrics: Entries, findings: Findings) -> str | None:
    """Return the label of the measured metric that a word matches, or None with a mistake noted."""
    found = pick(word, metrics)
    if len(found) > 1:
        findings.add(place, f"{what}: {shown(word)} stands for {' and '.join(found)}")
    elif not found and metrics and not findings.excuses(word):
        findings.add(place, f"{what}: {shown(word)} is not measured here", word, metrics)
    return found[0] if len(found) == 1 else None


def margin(node: Node | None, metrics: Entries, findings: Findings) -> dict[str, float] | float | None:
    """Return the difference that does not matter: one number, or metric -> number."""
    if node is None or is_null(node):
        return None
    if not isinstance(node, Pairs):
        found = finite(node, POSITIVE, "margin", findings)
        return found[0] if found else None
    result: dict[str, float] = {}
    for word, value in node.pairs:
        name = metric_label(word.text, word.place, "margin", metrics, findings)
        numbers = finite(value, POSITIVE, f"margin.{word.text[:40]}", findings)
        if name is not None and numbers:
            result[name] = numbers[0]
    return result


def finite(node: Node, schema: Schema, what: str, findings: Findings) -> list[float]:
    """Return the number of a node in a list of one; empty, with a mistake noted, if it does not fit or is infinite."""
    found = numbers(node, schema, what, findings)
    if found and not math.isfinite(found[0]):
        findings.add(node.place, f"{what}: must be finite")
        return []
    return found
