"""Protocol of a suite: its needs, the kinds it varies, the inputs it offers, its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.base import Spec
from harness.suite.expand import Expander
from harness.suite.nodes import Node, Word, got, is_null

if TYPE_CHECKING:
    from harness.discovery.descriptions import Description, FieldInfo, Table


@dataclass(frozen=True)
class Protocol:
    """A protocol's description; `metrics` are its default metrics, if any.

    An `interleaved` one measures time: the same seeds give other numbers each time.
    """

    name: str
    description: Description
    required_kinds: Mapping[str, Spec | None]
    compared_kinds: Sequence[str]
    metric_inputs: Sequence[str]
    optional_kinds: Sequence[str]
    metrics: Sequence[str | Spec]
    interleaved: bool = False
    references: Sequence[str] = ()

    @property
    def fields(self) -> Mapping[str, FieldInfo]:
        """Setting -> its schema and default."""
        return self.description.get("fields", {})

    @property
    def kinds(self) -> list[str]:
        """Kinds allowed under `vary`."""
        return list(dict.fromkeys([*self.required_kinds, *self.compared_kinds, *self.optional_kinds]))


def protocol_of(table: Table, name: str) -> Protocol:
    """Return the protocol of that name in the table."""
    description = table["protocol", name]
    facts = description.get("facts", {})
    return Protocol(
        name=name,
        description=description,
        required_kinds=facts.get("required_kinds", {}),
        compared_kinds=facts.get("compared_kinds", ()),
        metric_inputs=facts.get("metric_inputs", ()),
        optional_kinds=facts.get("optional_kinds", ()),
        metrics=facts.get("metrics") or (),
        interleaved=facts.get("interleaved", False),
        references=facts.get("references", ()),
    )


def protocol(node: Node | None, expander: Expander) -> Protocol | None:
    """Return the protocol that a node names; None with a mistake noted, or if nothing is written."""
    if node is None or is_null(node):
        return None
    if not isinstance(node, Word) or not isinstance(node.value, str):
        what = f"protocol: expected a name, got {got(node)} (what it can be set to stands under settings)"
        expander.findings.add(node.place, what)
        return None
    name = expander.resolve(node.value, "protocol", node.place)
    return None if name is None else protocol_of(expander.table, name)
