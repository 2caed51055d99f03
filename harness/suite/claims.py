"""Orderings that a suite compares with its measurements: `claims`, theorems and expectations."""

from __future__ import annotations

from collections.abc import Sequence

from harness.fields import Json
from harness.suite.cells import Point
from harness.suite.nodes import Items, Node, Pairs, Word, got, is_null
from harness.suite.rows import Axes, matches, some, where
from harness.suite.sections import Entries, JsonSchema, listed, metric_label, text, unknown_keys
from harness.suite.source import Findings, shown

KINDS = ("theorem", "expected")
"""Keys for the source of an order: proven, or expected."""
KEYS = (*KINDS, "metric", "order", "where")


def claims(
    node: Node | None, axes: Axes, contenders: Sequence[str], metrics: Entries, findings: Findings
) -> list[dict[str, Json]]:
    """Return every claim as the analysis takes it: kind, source, metric, axis, order (entries, best first), where.

    `axes` are those that vary, `contenders` the names of those that compete.
    """
    found = []
    for item in listed(node) if node is not None and not is_null(node) else ():
        if not isinstance(item, Pairs):
            findings.add(item.place, f"claims: expected a mapping with a source and an order, got {got(item)}")
            continue
        claim = _claim(item, axes, contenders, metrics, findings)
        if claim is not None:
            found.append(claim)
    return found


def _claim(
    item: Pairs, axes: Axes, contenders: Sequence[str], metrics: Entries, findings: Findings
) -> dict[str, Json] | None:
    unknown_keys(item, KEYS, "claims", findings)
    kinds = [kind for kind in KINDS if not is_null(item.get(kind))]
    if len(kinds) != 1:
        findings.add(item.place, f"claims: write where it is from, under one of {' and '.join(KINDS)}")
        return None
    source = text(item.get(kinds[0]), f"claims.{kinds[0]}", findings)
    metric = next(iter(metrics), None)
    said = item.get("metric")
    if isinstance(said, Word):
        metric = metric_label(said.text, said.place, "claims.metric", metrics, findings)
    order = _order(item, {axis: axes[axis] for axis in contenders}, findings)
    meant = where(item.get("where"), axes, "claims.where", findings, several=True)
    if order is None or meant is None or metric is None:
        return None
    axis, points = order
    only = {on: [point.entry for point in points] for on, points in meant.items()}
    entries = [point.entry for point in points]
    return {"kind": kinds[0], "source": source, "metric": metric, "axis": axis, "order": entries, "where": only}


def _order(item: Pairs, contenders: Axes, findings: Findings) -> tuple[str, list[Point]] | None:
    """Return the axis on which every name matches one point, and these points."""
    node = item.get("order")
    words = [each for each in node.items if isinstance(each, Word)] if isinstance(node, Items) else []
    if node is None or len(words) < 2 or (isinstance(node, Items) and len(words) < len(node.items)):
        findings.add((node or item).place, "claims.order: expected a list of two contenders or more, the best first")
        return None
    for axis, points in contenders.items():
        found = [matches(word, points, axis) for word in words]
        if all(len(each) == 1 for each in found):
            return axis, [each[0] for each in found]
    labels = {point.label for points in contenders.values() for point in points}
    lost = next((w for w in words if not any(matches(w, p, a) for a, p in contenders.items())), words[0])
    if labels and not findings.excuses(lost.text):
        what = f"claims.order: no axis has one contender for each name, see {shown(lost.text)}: there are "
        findings.add(lost.place, what + some(sorted(labels)))
    return None


def json_schema() -> JsonSchema:
    """Return the JSON Schema of the key."""
    words: JsonSchema = {"type": "string", "minLength": 1}
    properties: JsonSchema = {
        **{kind: {"anyOf": [words, {"type": "null"}]} for kind in KINDS},
        "metric": {"type": ["string", "null"]},
        "order": {"type": "array", "minItems": 2},
        "where": {"type": ["object", "null"]},
    }
    claim = {"type": "object", "properties": properties, "required": ["order"], "additionalProperties": False}
    return {"anyOf": [claim, {"type": "array", "items": claim}]}
