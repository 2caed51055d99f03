"""What is measured, and the trainer."""

from __future__ import annotations

from harness.base import Spec, component_name, label
from harness.suite import values
from harness.suite.cells import Point
from harness.suite.expand import Expander
from harness.suite.nodes import Node, Word, is_null
from harness.suite.protocol import Protocol
from harness.suite.sections import listed
from harness.suite.source import Place


def metrics_of(node: Node | None, at: Place, expander: Expander, protocol: Protocol | None) -> list[Spec]:
    """The metrics; the protocol's own where nothing is written. `at` is the place of what is missing."""
    if node is None or is_null(node):
        return _default(at, expander, protocol)
    if not listed(node):
        expander.findings.add(node.place, "metrics: an empty list, at least one metric is needed")
    found: dict[str, Spec] = {}
    for item in listed(node):
        for choice in expander.choices(item, "metric"):
            if values.key(choice.spec) in found:
                expander.findings.add(item.place, f"metrics: {label(choice.spec)} is here twice")
            found[values.key(choice.spec)] = choice.spec
            _offered(choice.spec, item.place, expander, protocol)
    return list(found.values())


def _offered(spec: Spec, at: Place, expander: Expander, protocol: Protocol | None) -> None:
    inputs = expander.table["metric", component_name(spec)].get("inputs", ())
    missing = [name for name in inputs if protocol is not None and name not in protocol.metric_inputs]
    if missing and protocol is not None:
        offers = ", ".join(protocol.metric_inputs) or "nothing"
        what = f"{spec['name']} needs {', '.join(missing)}: {protocol.name} offers {offers}"
        expander.findings.add(at, what)


def _default(at: Place, expander: Expander, protocol: Protocol | None) -> list[Spec]:
    if protocol is None:
        return []
    if not protocol.metrics and not expander.findings.suggested("metrics"):
        expander.findings.add(at, "the key metrics is missing", "", expander.names("metric"))
    specs: list[Spec] = [{"name": entry} if isinstance(entry, str) else dict(entry) for entry in protocol.metrics]
    return [spec for spec in specs if expander.resolve(component_name(spec), "metric", at)]


def trainer_of(node: Node | None, expander: Expander, protocol: Protocol | None, varies: bool) -> Spec | None:
    """The one trainer of the suite, None for `auto`, for nothing written and after a mistake."""
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
    """The suite's one trainer as an axis of one point, which does not vary."""
    return {} if spec is None else {"trainer": [Point(label(spec), spec)]}
