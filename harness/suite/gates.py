"""Gates: bounds on what is measured that a run must keep, or it ends with exit code 1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from harness.fields import Schema
from harness.suite.expand import Expander
from harness.suite.nodes import Node, Pairs, Word, got, is_null
from harness.suite.protocol import Protocol
from harness.suite.sections import COUNT, Entries, finite, metric_label, unknown_keys
from harness.suite.source import Findings
from harness.suite.values import plain_value

COMPARING = ("worse_than", "not_worse_than")
"""Rules on the difference to the baseline; the others are on the row's own mean."""
RULES = (*COMPARING, "at_most", "at_least")
NUMBER: Schema = {"type": "number"}
LEAST: Schema = {"type": "number", "minimum": 0}
PERCENTAGE = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+) ?%")


def gates(
    node: Node | None, measure: Entries, compared: bool, expander: Expander, protocol: Protocol | None
) -> list[dict[str, Any]]:
    """Every gate as data: metric, rule, bound, relative (the bound is a share of the baseline's mean), confirm.

    `measure` are the metrics by label; `compared` says whether the suite has a baseline.
    """
    findings = expander.findings
    if node is None or is_null(node):
        return []
    if not isinstance(node, Pairs) or not node.pairs:
        findings.add(node.place, f"gate: expected a mapping, metric: {{rule: bound}}, got {got(node)}")
        return []
    found = []
    for word, rules in node.pairs:
        metric = metric_label(word.text, word.place, "gate", measure, findings)
        what = f"gate.{word.text[:40]}"
        if not isinstance(rules, Pairs) or not rules.pairs:
            findings.add(rules.place, f"{what}: expected a mapping, {{worse_than: 5%}} or such, got {got(rules)}")
            continue
        unknown_keys(rules, (*RULES, "confirm"), what, findings)
        if metric is not None:
            _check_comparison(rules, what, metric, compared, expander, measure[metric])
        confirm = _confirm(rules, what, protocol, findings)
        for rule, bound, relative in _bounds(rules, what, findings):
            again = confirm if rule == "worse_than" else 0
            found.append({"metric": metric, "rule": rule, "bound": bound, "relative": relative, "confirm": again})
    return found


def _check_comparison(rules: Pairs, what: str, metric: str, compared: bool, expander: Expander, name: str) -> None:
    """Note every rule on a difference that there will not be."""
    describes = expander.table["metric", name].get("facts", {}).get("better", "higher") is None
    for rule, word, _ in rules.named():
        if rule in COMPARING and describes:
            expander.findings.add(word.place, f"{what}.{rule}: {metric} only describes, no value of it is worse")
        elif rule in COMPARING and not compared:
            expander.findings.add(word.place, f"{what}.{rule}: the suite has no baseline to compare with")


def _confirm(rules: Pairs, what: str, protocol: Protocol | None, findings: Findings) -> int:
    """How often a proven regression is measured again before the gate fails."""
    for name, word, node in rules.named():
        if name != "confirm":
            continue
        if rules.get("worse_than") is None and not findings.suggested("worse_than"):
            findings.add(word.place, f"{what}.confirm: only worse_than can be confirmed")
        elif protocol is not None and not protocol.lockstep:
            same = f"{protocol.name} gives the same numbers again for the same seeds"
            findings.add(word.place, f"{what}.confirm: {same}, there is nothing to confirm")
        found = plain_value(node, COUNT, f"{what}.confirm", findings)
        return int(found[0]) if found else 0
    return 0


def _bounds(rules: Pairs, what: str, findings: Findings) -> Iterator[tuple[str, float, bool]]:
    """(rule, bound, whether it is a share of the baseline's mean) of every rule that is right."""
    for rule, _, node in rules.named():
        said = f"{what}.{rule}"
        if rule not in COMPARING:
            numbers = finite(node, NUMBER, said, findings) if rule in RULES else []
        elif isinstance(node, Word) and isinstance(node.value, str) and (share := PERCENTAGE.fullmatch(node.value)):
            yield rule, float(Decimal(share[1]) / 100), True
            continue
        elif isinstance(node, Word) and type(node.value) in (int, float):
            numbers = finite(node, LEAST, said, findings)
        else:
            findings.add(node.place, f"{said}: expected a number at least 0 or a percentage as 5%, got {got(node)}")
            continue
        yield from ((rule, number, False) for number in numbers)


def json_schema() -> Schema:
    """The JSON Schema of the key."""
    margin: Schema = {"anyOf": [LEAST, {"type": "string", "pattern": f"^{PERCENTAGE.pattern}$"}]}
    rules: Schema = dict.fromkeys(COMPARING, margin) | dict.fromkeys(("at_most", "at_least"), NUMBER)
    one: Schema = {
        "type": "object",
        "properties": {**rules, "confirm": COUNT},
        "anyOf": [{"required": [rule]} for rule in RULES],
        "dependentRequired": {"confirm": ["worse_than"]},
        "additionalProperties": False,
    }
    return {"type": "object", "additionalProperties": one, "minProperties": 1}
