"""`resources`: what one cell takes of a machine, by which cells are placed. It changes no number."""

from __future__ import annotations

from harness.fields import Schema
from harness.suite.cells import Resources
from harness.suite.nodes import Node, Pairs, got, is_null
from harness.suite.sections import JsonSchema, unknown_keys
from harness.suite.source import Findings
from harness.suite.values import numbers

SCHEMAS: dict[str, Schema] = {
    "cpus": {"type": "integer", "minimum": 1, "maximum": 10_000},
    "gpus": {"type": "integer", "minimum": 0, "maximum": 1_000},
    "memory": {"type": "integer", "minimum": 1, "maximum": 1 << 30},
}
EXAMPLE = "{cpus: 2, gpus: 1, memory: 8000}"


def resources(node: Node | None, findings: Findings) -> Resources:
    """Read the key."""
    if node is None or is_null(node):
        return Resources()
    if not isinstance(node, Pairs):
        findings.add(node.place, f"resources: expected a mapping, {EXAMPLE} with memory in MiB, got {got(node)}")
        return Resources()
    unknown_keys(node, SCHEMAS, "resources", findings)
    found: dict[str, int] = {}
    for name, schema in SCHEMAS.items():
        value = node.get(name)
        if value is not None and not is_null(value):
            read = numbers(value, schema, f"resources.{name}", findings)
            found |= {name: int(read[0])} if read else {}
    return Resources(**found)


def json_schema() -> JsonSchema:
    """Return the schema of the key."""
    properties = {name: {"anyOf": [schema, {"type": "null"}]} for name, schema in SCHEMAS.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}
