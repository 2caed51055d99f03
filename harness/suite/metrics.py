"""Metrics and trainer of a suite."""

from __future__ import annotations

from dataclasses import replace

from harness.base import Spec, component_name, label
from harness.kinds.programs import OUTCOME_INPUTS
from harness.suite import values
from harness.suite.cells import Point
from harness.suite.expand import Expander
from harness.suite.nodes import Node, Word, is_null
from harness.suite.points import titled, titled_label
from harness.suite.programs import Program
from harness.suite.protocol import Protocol
from harness.suite.sections import listed
from harness.suite.source import Place, shown


def metrics_of(
    node: Node | None, at: Place, expander: Expander, protocol: Protocol | None, program: Program | None = None
) -> dict[str, Spec]:
    """Return the metrics by label; the protocol's own if nothing is written. `at` is the place for missing keys."""
    if protocol is not None and program is not None:  # a program reports numbers, and the harness sees nothing else
        protocol = replace(protocol, name="a trainer that runs a program", metric_inputs=OUTCOME_INPUTS)
    if node is None or is_null(node):
        return {label(spec): spec for spec in _default(at, expander, protocol)}
    if not listed(node):
        expander.findings.add(node.place, "metrics: an empty list, at least one metric is needed")
    found: dict[str, Spec] = {}
    for item in listed(node):
        title, choices = titled(expander, item, "metric")
        for choice in choices:
            name = titled_label(title, choice)
            if values.key(choice.spec) in map(values.key, found.values()):
                expander.findings.add(item.place, f"metrics: {label(choice.spec)} is here twice")
            elif name in found:
                expander.findings.add(
                    item.place, f"metrics: two have the label {shown(name)}: distinguish them with `as`"
                )
            found[name] = choice.spec
            _offered(choice.spec, item.place, expander, protocol)
    return found


def _offered(spec: Spec, at: Place, expander: Expander, protocol: Protocol | None) -> None:
    """Check that the protocol offers the metric's required inputs; an input that no protocol offers is misspelled."""
    entry = expander.table["metric", component_name(spec)]
    missing = [name for name in entry.get("inputs", ()) if protocol is not None and name not in protocol.metric_inputs]
    if not missing or protocol is None:
        return
    known = {name for other in expander.table.values() for name in other.get("facts", {}).get("metric_inputs", ())}
    for name in missing:
        if name not in known:
            place = f"{entry['file']}:{entry['line']}"
            what = f"{spec['name']} takes the argument {name!r} ({place}), which no protocol offers"
            expander.findings.add(at, what, name, protocol.metric_inputs)
    if known.issuperset(missing):
        offers = ", ".join(protocol.metric_inputs) or "nothing"
        expander.findings.add(at, f"{spec['name']} needs {', '.join(missing)}: {protocol.name} offers {offers}")


def _default(at: Place, expander: Expander, protocol: Protocol | None) -> list[Spec]:
    if protocol is None:
        return []
    if not protocol.metrics and not expander.findings.suggested("metrics"):
        expander.findings.add(at, "the key metrics is missing", "", expander.names("metric"))
    specs: list[Spec] = [{"name": entry} if isinstance(entry, str) else dict(entry) for entry in protocol.metrics]
    return [spec for spec in specs if expander.resolve(component_name(spec), "metric", at)]


def trainer_of(node: Node | None, expander: Expander, protocol: Protocol | None, varies: bool) -> Spec | None:
    """Return the one trainer of the suite; None for `auto`, for nothing written and after a mistake."""
    if node is None or is_null(node) or (isinstance(node, Word) and node.value == "auto"):
        return None
    if protocol is not None and "trainer" not in protocol.kinds:
        expander.findings.add(node.place, f"{protocol.name} uses no trainer")
        return None
    if varies:
        expander.findings.add(node.place, "trainer: stands under vary too, leave it to one of the two")
    if len(listed(node)) != 1:
        expander.findings.add(node.place, "trainer: one trainer stands here, several are compared under vary")
        return None
    found = expander.choices(listed(node)[0], "trainer")
    if len(found) > 1:
        expander.findings.add(node.place, "trainer: expands to several, compare them under vary")
    return found[0].spec if len(found) == 1 else None


def trainer_points(spec: Spec | None) -> dict[str, list[Point]]:
    """Return the suite's one trainer as an axis of one point, which does not vary."""
    return {} if spec is None else {"trainer": [Point(label(spec), spec)]}
