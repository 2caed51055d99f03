"""The JSON Schema of suite files, for editors and for whoever writes suites by program."""

from __future__ import annotations

from typing import Any

from harness.base import Spec
from harness.fields import Schema, is_list, is_number
from harness.suite.check import DEVICES, INTERVALS
from harness.suite.claims import json_schema as claims
from harness.suite.gates import json_schema as gate
from harness.suite.imports import IMPORT, KINDS, Table
from harness.suite.protocol import Protocol, protocol_of
from harness.suite.published import json_schema as published
from harness.suite.sections import COUNT, POSITIVE, SEED, SPLIT
from harness.suite.values import branches

_IMPORT = f"^{IMPORT.pattern}$"


def json_schema(table: Table) -> Schema:
    """A JSON Schema (draft 2020-12) that accepts every suite the checker accepts, names in canonical spelling.

    It knows no files and no relations between keys (baselines, what a metric needs), so it accepts some suites more.
    """
    kinds = sorted({*KINDS, *(kind for kind, _ in table)})
    names = [name for kind, name in table if kind == "protocol"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bench suite",
        "type": "object",
        "properties": _top(names),
        "required": ["protocol", "vary"],
        "additionalProperties": False,
        "allOf": [{}, *(_only_for(protocol_of(table, name)) for name in names)],  # never empty, whatever the table
        "$defs": _defs(table, kinds),
    }


def _top(protocols: list[str]) -> Schema:
    text: Schema = {"type": "string", "minLength": 1}
    said: dict[str, tuple[str, Schema]] = {
        "suite": ("The suite's name; the file's name where it is not written.", text),
        "question": ("What the suite asks, in a sentence.", text),
        "settings": ("Settings of the protocol; a list is an axis.", {"type": "object"}),
        "trainer": ("The trainer, auto by default.", {"anyOf": [{"const": "auto"}, *_one_or_list("trainer", "")]}),
        "tune": ("Equal tuning for every contender, on validation data.", _tune()),
        "seeds": ("How many seeds, or which.", _seeds()),
        "measure": ("Metrics; the first one carries the answer.", {"anyOf": _one_or_list("metric", "")}),
        "baseline": (
            "The contender to compare with, or axis: name.",
            {"type": ["string", "object"], "minProperties": 1},
        ),
        "within": ("The axes that make one problem.", _some({"type": "string"})),
        "margin": ("The difference that does not matter.", _or_mapping(POSITIVE)),
        "interval": ("Which doubts the intervals carry.", {"enum": list(INTERVALS)}),
        "gate": ("Bounds on what is measured that fail the run, metric: {rule: bound}.", gate()),
        "claims": ("Orderings, proved or expected, that the report holds to what is measured.", claims()),
        "published": ("Numbers from papers, shown beside what is measured.", published()),
        "plugins": ("Plugin files, relative to the suite, and modules.", _some(text, fewest=0)),
        "device": ("Where cells run; a list is an axis.", _some({"enum": list(DEVICES)})),
    }
    needed: Schema = {
        "protocol": {"description": "The kind of experiment.", "type": "string", "enum": protocols},
        "vary": {"description": "Kind: contenders or problems.", "type": "object", "minProperties": 1},
    }
    return needed | {name: {"description": doc, "anyOf": [s, {"type": "null"}]} for name, (doc, s) in said.items()}


def _some(item: Schema, fewest: int = 1) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": fewest, "uniqueItems": True}]}


def _or_mapping(value: Schema) -> Schema:
    return {"anyOf": [value, {"type": "object", "additionalProperties": value}]}


def _seeds() -> Schema:
    numbers = {"anyOf": [COUNT, {"type": "array", "items": SEED, "minItems": 1, "uniqueItems": True}]}
    long: Schema = {
        "type": "object",
        "properties": {"n": numbers, "split": {"anyOf": [SPLIT, {"type": "null"}]}},
        "required": ["n"],
        "additionalProperties": False,
    }
    return {"anyOf": [*numbers["anyOf"], long]}


def _tune() -> Schema:
    properties = {"trials": COUNT, "on": {"type": ["string", "null"]}, "seeds": COUNT, "lr": _some({"type": "number"})}
    return {
        "type": "object",
        "properties": properties,
        "patternProperties": {r"\.": {"not": {"type": "array", "maxItems": 0}}},
        "additionalProperties": False,
        "minProperties": 1,
    }


def _only_for(protocol: Protocol) -> Schema:
    """What one protocol adds: its settings and the kinds it varies."""
    settings = {
        name: _documented(about, _axis(about["schema"], dynamic=False)) for name, about in protocol.fields.items()
    }
    vary: Schema = {
        "properties": {kind: {"anyOf": _one_or_list(kind, ".point")} for kind in protocol.kinds},
        "required": [kind for kind, default in protocol.needs.items() if default is None],
        "additionalProperties": False,
    }
    then: Schema = {"settings": {"properties": settings, "additionalProperties": False}, "vary": vary}
    required = [name for name, about in protocol.fields.items() if "default" not in about]
    then["settings"] |= {"required": required} if required else {}
    more = (["settings"] if required else []) + ([] if protocol.measure else ["measure"])
    condition = {"properties": {"protocol": {"const": protocol.name}}, "required": ["protocol"]}
    return {"if": condition, "then": {"properties": then, "required": more}}


def _one_or_list(kind: str, form: str) -> list[Schema]:
    one: Schema = {"$ref": f"#/$defs/{kind}{form}"}
    several = {"type": "array", "items": one, "minItems": 1}
    return [one, several, _grid(several)] if form else [one, several]


def _grid(several: Schema) -> Schema:
    return {"type": "object", "properties": {"grid": several}, "required": ["grid"], "additionalProperties": False}


def _defs(table: Table, kinds: list[str]) -> Schema:
    defs: Schema = {}
    for kind in kinds:
        known = {name: description for (k, name), description in table.items() if k == kind}
        defs[kind] = _component(kind, known, {})
        defs[f"{kind}.point"] = _component(kind, known, {"as": {"type": "string", "minLength": 1, "maxLength": 100}})
        defs |= {f"{kind}.{name}": _fields(name, description) for name, description in known.items()}
    return defs


def _component(kind: str, known: dict[str, Any], extra: Schema) -> Schema:
    """A name, or one name with its fields; `extra` are keys that may stand beside the name."""
    bare = [name for name, about in known.items() if not _required(about)]
    properties = {name: {"$ref": f"#/$defs/{kind}.{name}"} for name in known}
    mapping: Schema = {
        "type": "object",
        "properties": properties | extra,
        "patternProperties": {_IMPORT: {"type": ["object", "null"]}},
        "additionalProperties": False,
    }
    alone: Schema = {"minProperties": 1, "maxProperties": 1}
    both: Schema = {"minProperties": 2, "maxProperties": 2}
    mapping |= {"if": {"required": ["as"]}, "then": both, "else": alone} if extra else alone
    names: list[Schema] = [{"enum": bare}] if bare else []
    return {"anyOf": [*names, {"type": "string", "pattern": _IMPORT}, mapping]}


def _required(about: Any) -> list[str]:
    return [field for field, said in about.get("fields", {}).items() if "default" not in said]


def _fields(name: str, about: Any) -> Schema:
    dynamic = bool(about.get("dynamic"))
    fields = about.get("fields", {})
    mapping: Schema = {
        "type": "object",
        "properties": {field: _documented(said, _axis(said["schema"], dynamic)) for field, said in fields.items()},
        "additionalProperties": ":" in name,
    }
    required = _required(about)
    mapping |= {"required": required} if required else {}
    return {"description": about.get("doc", ""), "anyOf": [mapping, *([] if required else [{"type": "null"}])]}


def _documented(about: Any, schema: Schema) -> Schema:
    doc = {"description": about["doc"]} if about.get("doc") else {}
    return {**doc, **schema, **({"default": _written(about["default"])} if "default" in about else {})}


def _written(value: Any) -> Any:
    """A default as a suite writes it: `softmax`, `{"gaussian": {"scale": 2.0}}`."""
    if not isinstance(value, dict) or "name" not in value:
        return value
    spec: Spec = {field: _written(inner) for field, inner in value.items() if field != "name"}
    return {value["name"]: spec} if spec else value["name"]


def _axis(schema: Schema, dynamic: bool) -> Schema:
    """One value, a list of values unless the value is a list itself, or a forced `grid`."""
    point = [schema, *_dynamic(schema)] if dynamic and is_number(schema) else [schema]
    several: Schema = {"type": "array", "items": {"anyOf": point}, "minItems": 1}
    return {"anyOf": [*point, *([] if is_list(schema) else [several]), _grid(several)]}


def _dynamic(schema: Schema) -> list[Schema]:
    numbers = [branch for branch in branches(schema) if is_number(branch)]
    number: Schema = numbers[0] if len(numbers) == 1 else {"anyOf": numbers}
    pair: Schema = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    return [_single("learn", number), _single("geometric", pair), _single("linear", pair)]


def _single(word: str, schema: Schema) -> Schema:
    return {"type": "object", "properties": {word: schema}, "required": [word], "additionalProperties": False}
