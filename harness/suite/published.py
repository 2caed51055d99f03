"""Numbers from papers: `published`, shown beside the measurements and not used otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from harness.fields import Json, Schema
from harness.suite.names import Names
from harness.suite.nodes import Node, Pairs, Word, got, is_null
from harness.suite.rows import Axes, matches, where
from harness.suite.sections import POSITIVE, Entries, JsonSchema, finite, listed, metric_label, text, unknown_keys
from harness.suite.source import Findings, Place, shown
from harness.suite.values import key

KEYS = ("source", "metric", "note", "scale", "where", "unmeasured", "values")
NUMBER: Schema = {"type": "number"}


def published(
    node: Node | None, axes: Axes, contenders: Sequence[str], metrics: Entries, findings: Findings
) -> list[dict[str, Json]]:
    """Return every number as the result JSON has it: source, note, metric, vary, value.

    `axes` are those that vary, `contenders` the names of those that compete.
    """
    found: list[dict[str, Json]] = []
    seen: dict[str, Place] = {}
    for item in listed(node) if node is not None and not is_null(node) else ():
        if not isinstance(item, Pairs):
            findings.add(item.place, f"published: expected a mapping with source and values, got {got(item)}")
            continue
        for word, row in _paper(item, axes, contenders, metrics, findings):
            same = key({**row, "value": None})
            if same in seen:
                what = f"published: {shown(word.text)} is here twice, first on line {seen[same].line}"
                findings.add(word.place, what)
            seen.setdefault(same, word.place)
            found.append(row)
    return found


def _paper(
    item: Pairs, axes: Axes, contenders: Sequence[str], metrics: Entries, findings: Findings
) -> Iterator[tuple[Word, dict[str, Json]]]:
    """Yield the numbers of one entry, each with its key."""
    unknown_keys(item, KEYS, "published", findings)
    for name in ("source", "values"):
        if is_null(item.get(name)) and not findings.suggested(name):
            findings.add(item.place, f"published: {name} is missing")
    about = {name: text(item.get(name), f"published.{name}", findings) for name in ("source", "note")}
    about["metric"] = _metric(item.get("metric"), metrics, findings)
    factor = _number(item.get("scale"), POSITIVE, "published.scale", findings)
    meant = where(item.get("where"), axes, "published.where", findings)
    if meant is None or not contenders:
        return
    unmeasured = _unmeasured(item.get("unmeasured"), {axis: axes[axis] for axis in contenders}, findings)
    fixed = {axis: point for axis, (point,) in meant.items()}
    names = Names(axes, contenders, fixed, unmeasured, findings)
    for word, vary, node in names.rows(item.get("values")):
        value = _number(node, NUMBER, f"published.{word.text[:40]}", findings)
        if value is not None:
            yield word, {**about, "vary": vary, "value": _times(value, 1.0 if factor is None else factor)}


def _metric(node: Node | None, metrics: Entries, findings: Findings) -> str | None:
    """Return the label of a measured metric; the first one if nothing is written."""
    if node is None or is_null(node):
        return next(iter(metrics), None)
    if isinstance(node, Word) and isinstance(node.value, str):
        return metric_label(node.value, node.place, "published.metric", metrics, findings)
    findings.add(node.place, f"published.metric: expected the name of a metric, got {got(node)}")
    return None


def _number(node: Node | None, schema: Schema, what: str, findings: Findings) -> float | None:
    if node is None or (is_null(node) and schema is not NUMBER):
        return None
    found = finite(node, schema, what, findings)
    return found[0] if found else None


def _times(value: float, factor: float) -> float:
    """Return the product of two numbers as printed: 95.7 in percent is 0.957, not 0.9570000000000001."""
    return float(Decimal(repr(value)) * Decimal(repr(factor)))


def _unmeasured(node: Node | None, contenders: Axes, findings: Findings) -> list[str]:
    """Return the names of contenders that only the paper has."""
    what, found = "published.unmeasured", []
    for item in listed(node) if node is not None and not is_null(node) else ():
        name = text(item, what, findings)
        if name is None or not isinstance(item, Word):
            continue
        if any(matches(item, points, axis) for axis, points in contenders.items()):
            findings.add(item.place, f"{what}: {shown(name)} is a contender of this suite")
        found.append(name)
    return found


def json_schema() -> JsonSchema:
    """Return the JSON Schema of the key."""
    words: JsonSchema = {"type": "string", "minLength": 1}
    numbers: JsonSchema = {"type": "object", "additionalProperties": NUMBER}
    properties: JsonSchema = {
        "source": words,
        "metric": {"type": ["string", "null"]},
        "note": {"type": ["string", "null"], "minLength": 1},
        "scale": {"anyOf": [POSITIVE, {"type": "null"}]},
        "where": {"type": ["object", "null"]},
        "unmeasured": {"anyOf": [words, {"type": "array", "items": words}, {"type": "null"}]},
        "values": {"type": "object", "minProperties": 1, "additionalProperties": {"anyOf": [NUMBER, numbers]}},
    }
    paper = {
        "type": "object",
        "properties": properties,
        "required": ["source", "values"],
        "additionalProperties": False,
    }
    return {"anyOf": [paper, {"type": "array", "items": paper}]}
