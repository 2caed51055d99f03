"""`reference`: what samples are compared with, a data set or the statistics of one."""

from __future__ import annotations

from harness.base import label
from harness.fields import Json, Schema
from harness.suite.cells import Point
from harness.suite.expand import Expander
from harness.suite.nodes import Node, Pairs, got, is_null
from harness.suite.protocol import Protocol
from harness.suite.sections import JsonSchema, listed, unknown_keys
from harness.suite.source import Place
from harness.suite.values import check_path, plain_value

DATASET, STATS, RANGE = KEYS = ("dataset", "stats", "range")
FILE: Schema = {"type": "string", "format": "path"}
ENDS: Schema = {"type": "array", "items": {"type": "number"}}


def reference(
    node: Node | None, at: Place, expander: Expander, protocol: Protocol | None
) -> tuple[dict[str, list[Point]], dict[str, Json]]:
    """Return the data set as an axis of one point, which does not vary, and the rest as data; both may be empty."""
    findings = expander.findings
    if node is None or is_null(node) or protocol is None:
        return {}, {}
    if not protocol.references:
        findings.add(at, f"reference: {protocol.name} compares nothing with a reference")
        return {}, {}
    if not isinstance(node, Pairs):
        findings.add(node.place, f"reference: expected {{dataset: NAME}} or {{stats: FILE.npz}}, got {got(node)}")
        return {}, {}
    unknown_keys(node, (*protocol.references, *[RANGE] * (DATASET in protocol.references)), "reference", findings)
    data, stats = node.get(DATASET), node.get(STATS)
    if is_null(data) == is_null(stats):
        findings.add(node.place, "reference: name either a dataset or a file of stats")
    points = {} if is_null(data) or data is None else _dataset(data, expander)
    return points, {**_file(stats, expander), **_range(node.get(RANGE), data, expander)}


def _dataset(node: Node, expander: Expander) -> dict[str, list[Point]]:
    found = expander.choices(listed(node)[0], DATASET) if len(listed(node)) == 1 else []
    if len(listed(node)) != 1 or len(found) > 1:
        expander.findings.add(node.place, "reference: one data set stands here")
    return {DATASET: [Point(label(found[0].spec), found[0].spec)]} if len(found) == 1 else {}


def _file(node: Node | None, expander: Expander) -> dict[str, Json]:
    if node is None or is_null(node):
        return {}
    found = plain_value(node, FILE, "reference.stats", expander.findings)
    for value in found:
        check_path(node, value, FILE, expander.folder, expander.findings)
    return {STATS: found[0]} if found else {}


def _range(node: Node | None, data: Node | None, expander: Expander) -> dict[str, Json]:
    """Return the values of the data set that stand for the ends of the denoiser's range."""
    if node is None or is_null(node):
        return {}
    if is_null(data):
        expander.findings.add(node.place, "reference: range is that of a dataset")
    found = plain_value(node, ENDS, "reference.range", expander.findings)
    ends = found[0] if found else None
    if isinstance(ends, list) and not (len(ends) == 2 and ends[0] < ends[1]):
        expander.findings.add(node.place, f"reference.range: expected [low, high], got {ends}")
    return {RANGE: ends} if found else {}


def json_schema() -> JsonSchema:
    """Return the schema of the key."""
    ends: JsonSchema = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    data: JsonSchema = {"anyOf": [{"$ref": "#/$defs/dataset"}, {"type": "null"}]}
    properties = {DATASET: data, STATS: {"type": ["string", "null"]}, RANGE: {"anyOf": [ends, {"type": "null"}]}}
    return {"type": "object", "properties": properties, "minProperties": 1, "additionalProperties": False}
