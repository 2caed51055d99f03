"""The protocol a suite names: what it needs, varies, offers and can be set to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.base import Spec
from harness.suite.expand import Expander
from harness.suite.imports import Table
from harness.suite.nodes import Node, Word, got, is_null


@dataclass(frozen=True)
class Protocol:
    """A protocol's description; `measure` is what it measures where a suite does not say, if anything.

    A `lockstep` one measures time: the same seeds give other numbers each time.
    """

    name: str
    description: Mapping[str, Any]
    needs: Mapping[str, Spec | None]
    contenders: Sequence[str]
    offers: Sequence[str]
    optional: Sequence[str]
    measure: Sequence[str | Spec]
    lockstep: bool = False

    @property
    def fields(self) -> Mapping[str, Any]:
        """Setting -> its schema and default."""
        fields: Mapping[str, Any] = self.description.get("fields", {})
        return fields

    @property
    def kinds(self) -> list[str]:
        """The kinds that may stand under `vary`."""
        return list(dict.fromkeys([*self.needs, *self.contenders, *self.optional]))


def protocol_of(table: Table, name: str) -> Protocol:
    """The protocol of that name in the table."""
    description = table["protocol", name]
    facts = {**description.get("facts", {}), **description}
    needs, contenders = facts.get("needs", {}), facts.get("contenders", ())
    offers, optional = facts.get("offers", ()), facts.get("optional", ())
    measure, lockstep = facts.get("measure") or (), bool(facts.get("lockstep"))
    return Protocol(name, description, needs, contenders, offers, optional, measure, lockstep)


def protocol(node: Node | None, expander: Expander) -> Protocol | None:
    """The protocol a node names, or None with a mistake noted; None too where nothing is written."""
    if node is None or is_null(node):
        return None
    if not isinstance(node, Word) or not isinstance(node.value, str):
        what = f"protocol: expected a name, got {got(node)} (what it can be set to stands under settings)"
        expander.findings.add(node.place, what)
        return None
    name = expander.resolve(node.value, "protocol", node.place)
    return None if name is None else protocol_of(expander.table, name)
