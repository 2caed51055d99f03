"""The tuning plan of a suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from harness.base import Spec, component_name, same_name
from harness.fields import Json, Schema
from harness.suite import values
from harness.suite.cells import Point, Tune
from harness.suite.expand import ANYTHING, Expander
from harness.suite.imports import split_kind
from harness.suite.nodes import Items, Node, Pairs, Word, got, is_null
from harness.suite.protocol import Protocol
from harness.suite.sections import COUNT, Entries, distinct, listed, metric_label, pick, unknown_keys
from harness.suite.source import shown

if TYPE_CHECKING:
    from harness.discovery.descriptions import Description

PLAIN = ("trials", "metric", "seeds", "lr")
DEFAULT_SEEDS = 8
MOST_FIELDS = 100
_LONGEST = 300

Contenders = Mapping[str, Sequence[Point]]


def tune(
    node: Node | None, expander: Expander, protocol: Protocol | None, contenders: Contenders, metrics: Entries
) -> Tune | None:
    """Return the plan, or None if nothing is written. `contenders` maps a kind that competes to its points."""
    findings = expander.findings
    if node is None or is_null(node):
        return None
    if not isinstance(node, Pairs):
        findings.add(node.place, f"tune: expected a mapping, got {got(node)}")
        return None
    plain = Pairs(node.place, tuple(pair for pair in node.pairs if "." not in pair[0].text))
    unknown_keys(plain, (*PLAIN, "NAME.field"), "tune", findings)
    lr = _rates(node, expander, protocol)
    fields: dict[str, list[Json]] = {}
    dotted = [(word, value) for word, value in node.pairs if "." in word.text]
    for word, value in dotted[:MOST_FIELDS]:
        fields.update(_field(word, value, expander, contenders))
    if len(dotted) > MOST_FIELDS:
        findings.add(node.place, f"tune: {len(dotted)} fields, at most {MOST_FIELDS}")
    if node.get("lr") is None and not dotted:
        findings.add(node.place, "tune: nothing to try: write lr: [...] or NAME.field: [...]")
    default = len(lr) or max((len(tried) for tried in fields.values()), default=1)
    return Tune(_count(node, "trials", default, expander), _metric(node, metrics, expander),
                _count(node, "seeds", DEFAULT_SEEDS, expander), lr, fields)  # fmt: skip


def _count(node: Pairs, name: str, default: int, expander: Expander) -> int:
    said = node.get(name)
    found = values.numbers(said, COUNT, f"tune.{name}", expander.findings) if said is not None else []
    return int(found[0]) if found else default


def _metric(node: Pairs, metrics: Entries, expander: Expander) -> str | None:
    said = node.get("metric")
    if said is None or is_null(said):
        return None
    if isinstance(said, Word) and isinstance(said.value, str):
        return metric_label(said.value, said.place, "tune.metric", metrics, expander.findings)
    expander.findings.add(said.place, f"tune.metric: expected the name of a metric, got {got(said)}")
    return None


def _rates(node: Pairs, expander: Expander, protocol: Protocol | None) -> list[float]:
    said = node.get("lr")
    if said is None or protocol is None:
        return []
    setting = protocol.fields.get("lr")
    if setting is None:
        expander.findings.add(said.place, f"tune: {protocol.name} has no setting lr")
        return []
    return [
        lr for lr in distinct(said, setting["schema"], "tune.lr", expander.findings) if isinstance(lr, (int, float))
    ]


def _field(word: Word, node: Node, expander: Expander, contenders: Contenders) -> dict[str, list[Json]]:
    """Return {`NAME.field`: values}; empty with a mistake noted."""
    name, field, owners = _target(word.text, contenders)
    if not owners:
        if contenders and not expander.findings.excuses(name):
            known = [label for points in contenders.values() for point in points for label in _names(point)]
            expander.findings.add(word.place, f"tune: no contender {shown(name)} in this suite", name, known)
        return {}
    kind, spec = owners[0]
    owner = expander.table[kind, component_name(spec)]
    about = owner.get("fields", {}).get(field) or ({"schema": ANYTHING} if "lost" in owner else None)
    if about is None:
        what = f"tune: {spec['name']} has no field {shown(field)}"
        expander.findings.add(word.place, what, field, owner.get("fields", {}))
        return {}
    if "default" in about and any(field in spec for _, spec in owners):
        what = f"tune: {name}.{field} has a value under vary already: leave it to one of the two"
        expander.findings.add(word.place, what)
    return {f"{name}.{field}": _tried(node, about["schema"], owner, word, expander)}


def _tried(node: Node, schema: Schema, owner: Description, word: Word, expander: Expander) -> list[Json]:
    what = f"tune.{word.text[:60]}"
    if not listed(node):
        expander.findings.add(node.place, f"{what}: an empty list")
    found: dict[str, Json] = {}
    for item in node.items if isinstance(node, Items) else (node,):
        for value in expander.value(item, schema, owner, what):
            if values.key(value) in found:
                expander.findings.add(item.place, f"{what}: the same value twice")
            found[values.key(value)] = value
    return list(found.values())


def _target(text: str, contenders: Contenders) -> tuple[str, str, list[tuple[str, Spec]]]:
    """Return (name, field, matching specs) of `exact.margin`, `loss:exact.margin`, `Ours(gamma=1.0).margin`."""
    for head, field in _splits(text) if len(text) <= _LONGEST else ():
        said, name = split_kind(head)
        name = name if said else head
        for kind, points in contenders.items():
            found = pick(name, {p.label: component_name(p.spec) for p in points}) if said in (None, kind) else []
            if found:
                shared = [p for p in points if p.label in found]
                exact = name if name in found else same_name(name)
                return exact, same_name(field), [(kind, p.spec) for p in shared]
    head, _, field = text.rpartition(".")
    return head, field, []


def _splits(text: str) -> Iterator[tuple[str, str]]:
    at = text.rfind(".")
    while at > 0:
        yield text[:at], text[at + 1 :]
        at = text.rfind(".", 0, at)


def _names(point: Point) -> tuple[str, str]:
    return point.label, component_name(point.spec)
