"""The question of a suite: one text, or parts that name the metric and the axis of their answers."""

from __future__ import annotations

from collections.abc import Sequence

from harness.fields import Json
from harness.suite.nodes import Items, Node, Pairs, Word, got, is_null
from harness.suite.rows import Axes
from harness.suite.sections import Entries, JsonSchema, metric_label, text, unknown_keys
from harness.suite.source import Findings, shown

KEYS = ("ask", "metric", "axis")


def question(
    node: Node | None, axes: Axes, contenders: Sequence[str], metrics: Entries, findings: Findings
) -> tuple[str, list[dict[str, Json]]]:
    """Return the question as one text, and its parts as data of `harness.results.Ask`; a plain text has none."""
    if not isinstance(node, Items | Pairs):
        return text(node, "question", findings) or "", []
    found = []
    for item in node.items if isinstance(node, Items) else (node,):
        if isinstance(item, Pairs):
            found.append(_part(item, axes, contenders, metrics, findings))
        else:
            message = f"question: expected a mapping, {{ask: ..., metric: ..., axis: ...}}, got {got(item)}"
            findings.add(item.place, message)
    parts = [part for part in found if part is not None]
    return " ".join(str(part["ask"]) for part in parts), parts


def _part(
    item: Pairs, axes: Axes, contenders: Sequence[str], metrics: Entries, findings: Findings
) -> dict[str, Json] | None:
    unknown_keys(item, KEYS, "question", findings)
    ask = text(item.get("ask"), "question.ask", findings)
    if ask is None and not findings.suggested("ask"):
        findings.add(item.place, "question: ask is missing, the sentence to answer")
    said, axis = item.get("metric"), item.get("axis")
    metric = next(iter(metrics), None)
    if isinstance(said, Word) and not is_null(said):
        metric = metric_label(said.text, said.place, "question.metric", metrics, findings)
    if ask is None or metric is None:
        return None
    if axis is None or is_null(axis):
        return {"ask": ask, "metric": metric, "axis": None}
    if isinstance(axis, Word) and axis.text in axes:
        return {"ask": ask, "metric": metric, "axis": axis.text}
    name = axis.text if isinstance(axis, Word) else ""
    findings.add(axis.place, f"question.axis: {shown(name)} is no axis that varies here", name, contenders or axes)
    return None


def json_schema() -> JsonSchema:
    """Return the JSON Schema of the key."""
    words: JsonSchema = {"type": "string", "minLength": 1}
    name: JsonSchema = {"anyOf": [words, {"type": "null"}]}
    part = {"type": "object", "properties": {"ask": words, "metric": name, "axis": name}, "required": ["ask"],
            "additionalProperties": False}  # fmt: skip
    return {"anyOf": [words, part, {"type": "array", "items": part, "minItems": 1}]}
