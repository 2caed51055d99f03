"""Expansion of components in a suite to specs: names, fields, axes and labels."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.base import Spec
from harness.fields import Json, Schema, is_list, is_number, kind_in, says, text_form
from harness.suite import programs, values
from harness.suite.imports import KINDS, split_kind
from harness.suite.nodes import Items, Node, Pairs, Word, got, is_null
from harness.suite.source import Findings, Place, shown

if TYPE_CHECKING:
    from harness.discovery.descriptions import Description, FieldInfo, Table

ANYTHING: Schema = {"title": "anything"}
"""Fragment for fields of a component that cannot be imported: any value, and a list is an axis."""
ROOM = 4_000_000
"""Limit on the letters of all points of a suite together, which bounds grids of grids."""


@dataclass(frozen=True)
class Choice:
    """One expansion of a written component; `varied` holds the fields with several values."""

    spec: Spec
    varied: dict[str, Json]


@dataclass(frozen=True)
class _Written:
    place: Place
    name: str
    fields: Pairs | None


class Expander:
    """Reads components with the table and notes mistakes; a component with a mistake expands to nothing."""

    def __init__(self, table: Table, findings: Findings, folder: Path) -> None:
        self.table = table
        self.findings = findings
        self.folder = folder
        self.room = ROOM
        self.placeholders: Collection[str] = ()
        """Placeholders of commands in this suite."""

    def names(self, kind: str) -> list[str]:
        """Return the known components of a kind."""
        return [name for k, name in self.table if k == kind]

    def resolve(self, text: str, kind: str, place: Place) -> str | None:
        """Return the canonical name of a component of this kind, or None with a mistake noted."""
        said, name = split_kind(text)
        if said not in (None, kind):
            self.findings.add(place, f"{shown(text)} is a {said}, here stands a {kind}")
            return None
        if (kind, name) in self.table:
            reason = self.table[kind, name].get("error")
            if reason:
                self.findings.add(place, reason)
            return None if reason else name
        others = " and a ".join(k for k in KINDS if (k, name) in self.table)
        what = f"unknown {kind} {shown(name)}" + (f" (there is a {others} of that name)" if others else "")
        if ":" in name:
            self.findings.add(place, f"{what}: nothing was found at this import path")
        else:
            self.findings.add(place, what, name, self.names(kind))
        return None

    def choices(self, node: Node, kind: str) -> list[Choice]:
        """Return every expansion of one written component, the field written first varying slowest."""
        written = self._written(node, kind)
        name = self.resolve(written.name, kind, written.place) if written else None
        if written is None or name is None:
            return []
        owner = self.table[kind, name]
        parts = self._fields(written, name, owner)
        if parts is None or not self.charge(parts.values(), written.place, name):
            self.findings.failed.add(name)
            return []
        known = owner.get("fields", {})
        declared = [f for f in known if f in parts] + [f for f in parts if f not in known]
        defaults = {f: _default_key(known.get(f)) for f in declared}
        result = []
        for combination in itertools.product(*parts.values()):
            chosen = dict(zip(parts, combination, strict=True))
            kept = {f: chosen[f] for f in declared if values.key(chosen[f]) != defaults[f]}
            varied = {f: chosen[f] for f in declared if len(parts[f]) > 1}
            result.append(Choice({"name": name, **kept}, varied))
        return result

    def _written(self, node: Node, kind: str) -> _Written | None:
        if isinstance(node, Word) and isinstance(node.value, str) and node.value.strip():
            return _Written(node.place, node.value, None)
        if not isinstance(node, Pairs) or not node.pairs:
            self.findings.add(node.place, f"expected the name of a {kind}, got {got(node)}")
            return None
        word, fields = node.pairs[0]
        if len(node.pairs) > 1:
            other = node.pairs[1][0]
            hint = f"fields of {word.text[:40]} are indented below it, a second {kind} is a list item of its own"
            self.findings.add(other.place, f"{shown(other.text)} stands beside {shown(word.text)}: {hint}")
            return None
        if not isinstance(fields, Pairs) and not is_null(fields):
            what = f"the fields of {word.text[:40]} are a mapping, {{field: value}}, got {got(fields)}"
            self.findings.add(fields.place, what + (values.near_sweep(word) if isinstance(fields, Items) else ""))
            return None
        return _Written(word.place, word.text, fields if isinstance(fields, Pairs) else None)

    def _fields(self, written: _Written, name: str, owner: Description) -> dict[str, list[Json]] | None:
        known = owner.get("fields", {})
        parts: dict[str, list[Json]] = {}
        sound = True
        pairs = list(written.fields.named()) if written.fields else []
        for field, word, value in pairs:
            open_ended = "lost" in owner or (not known and ":" in name)  # a C function may have no signature
            if field not in known and not open_ended:
                self._unknown_field(name, word, known)
                sound = False
                continue
            unknown = ANYTHING if "lost" in owner else {}
            schema = known[field]["schema"] if field in known else unknown
            parts[field] = self.axis(value, schema, owner, f"{name}.{field}")
            sound = sound and bool(parts[field])
        said = {field for field, _, _ in pairs}
        for field, about in known.items():
            if "default" not in about and field not in said:
                self.findings.add(written.place, f"{name} needs the field {field}: {says(about['schema'])}")
                sound = False
        return parts if sound else None

    def _unknown_field(self, name: str, word: Word, known: Mapping[str, FieldInfo]) -> None:
        what = f"{name} has no field {shown(word.text)}"
        if known:
            self.findings.add(word.place, what, word.text, known)
        else:
            self.findings.add(word.place, f"{what}: it has no fields")

    def charge(self, parts: Iterable[Sequence[Json]], place: Place, what: str) -> bool:
        """Return whether the product of these values still fits the suite; if not, note a mistake."""
        lists = list(parts)
        count = math.prod(len(part) for part in lists)
        self.room -= count * (50 + sum(max(len(values.key(v)) for v in part) for part in lists if part))
        if self.room < 0:
            self.findings.add(place, f"{what} expands to more points than a suite can hold")
        return self.room >= 0

    def axis(self, node: Node, schema: Schema, owner: Description, what: str) -> list[Json]:
        """Return the canonical values of a field or setting: one for a point, several for an axis."""
        items = axis_items(node, is_list(schema))
        if items is None:
            return self.value(node, schema, owner, what)
        if isinstance(items, Word | Pairs):
            self.findings.add(items.place, f"{what}: sweep takes a list, got {got(items)}")
            return []
        if not items.items:
            self.findings.add(items.place, f"{what}: an empty list, an axis needs at least one value")
        found: dict[str, Json] = {}
        sound = True
        for item in items.items:
            read = self.value(item, schema, owner, what)
            sound = sound and bool(read)
            for value in read:
                if values.key(value) in found:
                    self.findings.add(item.place, f"{what}: the same value twice")
                found[values.key(value)] = value
        return list(found.values()) if sound else []

    def value(self, node: Node, schema: Schema, owner: Description, what: str) -> list[Json]:
        """Return the canonical values of a node that is no axis; several if a component inside expands."""
        if values.dynamic_word(node) and is_number(schema) and isinstance(node, Pairs):
            return values.dynamic_value(node, schema, owner, what, self.findings)
        kind = kind_in(schema)
        if kind and self._is_component(node, schema, kind):
            return [choice.spec for choice in self.choices(node, kind)]
        inner = values.array_of(schema)
        if isinstance(node, Items) and inner is not None:
            parts = [self.value(item, inner, owner, what) for item in node.items]
            fits = all(parts) and self.charge(parts, node.place, what)
            return [list(combination) for combination in itertools.product(*parts)] if fits else []
        found = values.plain_value(node, schema, what, self.findings)
        for value in found:
            values.check_path(node, value, schema, self.folder, self.findings)
            if text_form(schema) == "command" and isinstance(node, Word) and isinstance(value, str):
                offered = self.placeholders if owner.get("facts", {}).get("external") else ()
                programs.check_command(node, value, offered, self.folder, self.findings)
        return found

    def _is_component(self, node: Node, schema: Schema, kind: str) -> bool:
        if isinstance(node, Word) and isinstance(node.value, str):
            others = any("$ref" not in b and b.get("type") != "null" for b in values.branches(schema))
            return not others or (kind, split_kind(node.value)[1]) in self.table
        return isinstance(node, Pairs)


def axis_items(node: Node, listy: bool) -> Node | None:
    """Return the values of an axis: a list, unless lists are values here, or the content of `{sweep: ...}`; or None."""
    if isinstance(node, Items):
        return None if listy else node
    if isinstance(node, Pairs) and len(node.pairs) == 1 and node.pairs[0][0].text == "sweep":
        return node.pairs[0][1]
    return None


def _default_key(about: FieldInfo | None) -> str | None:
    if about is None or "default" not in about:
        return None
    return values.key(values.canonical(about["schema"], about["default"]))
