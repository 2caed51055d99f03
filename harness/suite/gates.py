"""Gates: bounds on measurements; a run that breaks one ends with exit code 1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from harness.fields import Json, Schema
from harness.suite.expand import Expander
from harness.suite.nodes import Node, Pairs, Word, got, is_null
from harness.suite.protocol import Protocol
from harness.suite.sections import COUNT, Entries, JsonSchema, finite, metric_label, unknown_keys
from harness.suite.source import Findings
from harness.suite.values import numbers

COMPARING = ("max_regression", "max_change", "non_inferior_by")
"""Rules on the difference to the baseline; the others are on the row's own mean."""
RULES = (*COMPARING, "max", "min")
NUMBER: Schema = {"type": "number"}
LEAST: Schema = {"type": "number", "minimum": 0}
PERCENTAGE = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+) ?%")


def gates(
    node: Node | None, metrics: Entries, compared: bool, expander: Expander, protocol: Protocol | None
) -> list[dict[str, Json]]:
    """Return gates as data: metric, rule, bound, relative (the bound is a share of the baseline's mean), confirm_runs.

    `metrics` are the metrics by label; `compared` is whether the suite has a baseline.
    """
    findings = expander.findings
    if node is None or is_null(node):
        return []
    if not isinstance(node, Pairs) or not node.pairs:
        findings.add(node.place, f"gates: expected a mapping, metric: {{rule: bound}}, got {got(node)}")
        return []
    found: list[dict[str, Json]] = []
    for word, rules in node.pairs:
        metric = metric_label(word.text, word.place, "gates", metrics, findings)
        what = f"gates.{word.text[:40]}"
        if not isinstance(rules, Pairs) or not rules.pairs:
            findings.add(rules.place, f"{what}: expected a mapping, {{max_regression: 5%}} or such, got {got(rules)}")
            continue
        unknown_keys(rules, (*RULES, "confirm_runs"), what, findings)
        if metric is not None:
            _check_comparison(rules, what, metric, compared, expander, metrics[metric])
        confirm = _confirm(rules, what, protocol, findings)
        for rule, bound, relative in _bounds(rules, what, findings):
            again = confirm if rule == "max_regression" else 0
            found.append({"metric": metric, "rule": rule, "bound": bound, "relative": relative, "confirm_runs": again})
    return found


def _check_comparison(rules: Pairs, what: str, metric: str, compared: bool, expander: Expander, name: str) -> None:
    """Note every rule on a difference for which there is no comparison."""
    describes = expander.table["metric", name].get("facts", {}).get("higher_is_better", True) is None
    for rule, word, _ in rules.named():
        if rule in COMPARING and describes:
            expander.findings.add(word.place, f"{what}.{rule}: {metric} only describes, no value of it is worse")
        elif rule in COMPARING and not compared:
            expander.findings.add(word.place, f"{what}.{rule}: the suite has no baseline to compare with")


def _confirm(rules: Pairs, what: str, protocol: Protocol | None, findings: Findings) -> int:
    """Return how often a proven regression is measured again before the gate fails."""
    for name, word, node in rules.named():
        if name != "confirm_runs":
            continue
        if rules.get("max_regression") is None and not findings.suggested("max_regression"):
            findings.add(word.place, f"{what}.confirm_runs: only max_regression can be confirmed")
        elif protocol is not None and not protocol.interleaved:
            same = f"{protocol.name} gives the same numbers again for the same seeds"
            findings.add(word.place, f"{what}.confirm_runs: {same}, there is nothing to confirm")
        found = numbers(node, COUNT, f"{what}.confirm_runs", findings)
        return int(found[0]) if found else 0
    return 0


def _bounds(rules: Pairs, what: str, findings: Findings) -> Iterator[tuple[str, float, bool]]:
    """Yield (rule, bound, whether it is a share of the baseline's mean) of every valid rule."""
    for rule, _, node in rules.named():
        said = f"{what}.{rule}"
        if rule not in COMPARING:
            bounds = finite(node, NUMBER, said, findings) if rule in RULES else []
        elif isinstance(node, Word) and isinstance(node.value, str) and (share := PERCENTAGE.fullmatch(node.value)):
            yield rule, float(Decimal(share[1]) / 100), True
            continue
        elif isinstance(node, Word) and type(node.value) in (int, float):
            bounds = finite(node, LEAST, said, findings)
        else:
            findings.add(node.place, f"{said}: expected a number at least 0 or a percentage as 5%, got {got(node)}")
            continue
        yield from ((rule, bound, False) for bound in bounds)


def json_schema() -> JsonSchema:
    """Return the JSON Schema of the key."""
    margin: JsonSchema = {"anyOf": [LEAST, {"type": "string", "pattern": f"^{PERCENTAGE.pattern}$"}]}
    rules = {**dict.fromkeys(COMPARING, margin), **dict.fromkeys(("max", "min"), NUMBER)}
    one: JsonSchema = {
        "type": "object",
        "properties": {**rules, "confirm_runs": COUNT},
        "anyOf": [{"required": [rule]} for rule in RULES],
        "dependentRequired": {"confirm_runs": ["max_regression"]},
        "additionalProperties": False,
    }
    return {"type": "object", "additionalProperties": one, "minProperties": 1}
