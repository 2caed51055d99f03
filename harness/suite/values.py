"""Values of fields: a plain value, a path, a list, or a learned or scheduled number."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.base import data_of, same_name
from harness.discovery import sources
from harness.dynamic import DYNAMIC
from harness.errors import BenchError, near_miss
from harness.fields import Json, Schema, convert, is_number, says, text_form
from harness.suite.nodes import Items, Node, Pairs, Word, data, got
from harness.suite.source import Findings, shown

if TYPE_CHECKING:
    from harness.discovery.descriptions import Description


def key(value: Json) -> str:
    """Return the identity of a canonical value: 1, 1.0 and true differ, the order of fields does not matter."""
    return json.dumps(value, sort_keys=True)


def canonical(schema: Schema, default: Json) -> Json:
    """Return a description's default in the canonical form of a suite's values, so that the two can be compared."""
    try:
        return data_of(convert(schema, default))
    except BenchError:
        return default


def branches(schema: Schema) -> list[Schema]:
    """Return the alternatives of a fragment, one if it has no `anyOf`."""
    return list(schema.get("anyOf", [schema]))


def array_of(schema: Schema) -> Schema | None:
    """Return the fragment of the elements if a fragment has exactly one list among its alternatives."""
    arrays = [branch for branch in branches(schema) if branch.get("type") == "array"]
    return arrays[0].get("items", {}) if len(arrays) == 1 else None


def plain_value(node: Node, schema: Schema, what: str, findings: Findings) -> list[Json]:
    """Return the canonical value of a node in a list of one; empty, with a mistake noted, if it does not fit."""
    try:
        return [data_of(convert(schema, data(node)))]
    except BenchError:
        findings.add(node.place, f"{what}: expected {says(schema)}, got {got(node)}{_near(node, schema)}")
        return []


def near_sweep(word: Word) -> str:
    """Return the near miss of a word that is close to the `sweep` of an axis; empty for every other."""
    return near_miss(word.text[:60].lower(), ["sweep"]).suggestion


def _near(node: Node, schema: Schema) -> str:
    if isinstance(node, Pairs) and len(node.pairs) == 1:
        word = node.pairs[0][0]
        names = [n for branch in branches(schema) for n in branch.get("propertyNames", {}).get("enum", ())]
        return near_sweep(word) or (near_miss(word.text[:60], [str(n) for n in names]).suggestion if names else "")
    choices = [c for branch in branches(schema) for c in branch.get("enum", ()) if isinstance(c, str)]
    if not isinstance(node, Word) or not isinstance(node.value, str) or not choices:
        return ""
    return near_miss(node.value[:60].lower(), choices).suggestion


def near_file(path: Path) -> str:
    """Return the near miss of a file that does not exist, among those of its folder; empty if there is none."""
    try:
        names = os.listdir(path.parent)
    except (OSError, ValueError):
        return ""
    return near_miss(path.name, names).suggestion


def check_path(node: Node, value: Json, schema: Schema, folder: Path, findings: Findings) -> None:
    """Note a mistake if a field names a file or module that does not exist; paths are relative to the suite."""
    form = text_form(schema)
    for each in value if isinstance(value, (list, tuple)) else [value]:
        if not isinstance(each, str) or not each:
            continue
        module = each.partition(":")[0]
        if form == "path" and not os.path.exists(folder / each):
            findings.add(node.place, f"no file {shown(each)} beside the suite{near_file(folder / each)}")
        elif form == "module" and sources.locate(module) is None:
            findings.add(node.place, f"no module named {shown(module)}{sources.nearest(module)}")


def dynamic_word(node: Node) -> str | None:
    """Return `learn`, `geometric` or `linear` if the node has a form like `{learn: x}`."""
    if isinstance(node, Pairs) and len(node.pairs) == 1:
        word = same_name(node.pairs[0][0].text)
        return word if word in DYNAMIC else None
    return None


def numbers(node: Node, schema: Schema, what: str, findings: Findings) -> list[float]:
    """Return the number of a node in a list of one; empty, with a mistake noted, if it does not fit."""
    return [value for value in plain_value(node, schema, what, findings) if isinstance(value, (int, float))]


def dynamic_value(node: Pairs, schema: Schema, owner: Description, what: str, findings: Findings) -> list[Json]:
    """Read `{"learn": x}`, `{"geometric": [a, b]}` or `{"linear": [a, b]}` with numbers in range; return a list."""
    word, inner = same_name(node.pairs[0][0].text), node.pairs[0][1]
    if not owner.get("dynamic"):
        findings.add(node.place, f"{what}: only the fields of losses and transforms can be learned or scheduled")
        return []
    fitting = [branch for branch in branches(schema) if is_number(branch)]
    wanted: Schema = fitting[0] if len(fitting) == 1 else {"anyOf": fitting}
    if word == "learn":
        start = numbers(inner, wanted, f"{what}: learn", findings)
        return [{word: start[0]}] if start and _finite(inner, start, what, findings) else []
    if not isinstance(inner, Items) or len(inner.items) != 2:
        findings.add(inner.place, f"{what}: {word} takes two numbers, the first and the last: {{{word}: [a, b]}}")
        return []
    ends = [n for item in inner.items for n in numbers(item, wanted, f"{what}: {word}", findings)]
    if len(ends) < 2 or not _finite(inner, ends, what, findings):
        return []
    if word == "geometric" and ends[0] * ends[1] <= 0:
        findings.add(inner.place, f"{what}: geometric needs two numbers of one sign, none of them 0")
        return []
    return [{word: ends}]


def _finite(node: Node, numbers: Sequence[float], what: str, findings: Findings) -> bool:
    if all(math.isfinite(n) for n in numbers):
        return True
    findings.add(node.place, f"{what}: a learned or scheduled number must be finite")
    return False
