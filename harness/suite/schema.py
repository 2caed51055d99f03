"""JSON Schema of suite files, for editors and for programs that write suites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.fields import Json, Schema, is_list, is_number
from harness.suite.check import DEVICES, INTERVALS
from harness.suite.claims import json_schema as claims
from harness.suite.gates import json_schema as gate
from harness.suite.imports import IMPORT, KINDS
from harness.suite.programs import TRAINER
from harness.suite.protocol import Protocol, protocol_of
from harness.suite.published import json_schema as published
from harness.suite.questions import json_schema as question
from harness.suite.reference import json_schema as reference
from harness.suite.resources import json_schema as resources
from harness.suite.sections import COUNT, POSITIVE, SEED, SPLITS, JsonSchema
from harness.suite.values import branches

if TYPE_CHECKING:
    from harness.discovery.descriptions import Description, FieldInfo, Table

_IMPORT = f"^{IMPORT.pattern}$"


def json_schema(table: Table) -> JsonSchema:
    """Return a JSON Schema (draft 2020-12) that accepts every suite the checker accepts, names in canonical spelling.

    It ignores files and relations between keys (baselines, inputs of metrics), so it also accepts some invalid suites.
    """
    kinds = sorted({*KINDS, *(kind for kind, _ in table)})
    names = [name for kind, name in table if kind == "protocol"]
    external = [name for (_, name), about in table.items() if about.get("facts", {}).get("external")]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bench suite",
        "type": "object",
        "properties": _top(names),
        "required": ["protocol", "vary"],
        "additionalProperties": False,
        "allOf": [
            {},
            *(_only_for(protocol_of(table, name), external) for name in names),
        ],  # never empty, whatever the table
        "$defs": _defs(table, kinds),
    }


def _top(protocols: list[str]) -> JsonSchema:
    text: JsonSchema = {"type": "string", "minLength": 1}
    said: dict[str, tuple[str, Mapping[str, object]]] = {
        "suite": ("The suite's name; the file's name where it is not written.", text),
        "question": ("What the suite asks: a text, or a list of {ask, metric, axis}.", question()),
        "settings": ("Settings of the protocol; a list is an axis.", {"type": "object"}),
        "trainer": ("The trainer, auto by default.", {"anyOf": [{"const": "auto"}, *_one_or_list("trainer", "")]}),
        "tune": ("Equal tuning for every contender, on validation data.", _tune()),
        "seeds": ("How many seeds, or which.", _seeds()),
        "metrics": ("Metrics; the first one carries the answer.", {"anyOf": _one_or_list("metric.point", "")}),
        "baseline": (
            "The contender to compare with, or axis: name.",
            {"type": ["string", "number", "boolean", "object"], "minProperties": 1},
        ),
        "group_by": ("The axes that make one problem.", _some({"type": "string"})),
        "margin": ("The difference that does not matter.", _or_mapping(POSITIVE)),
        "interval": ("Which doubts the intervals carry.", {"enum": list(INTERVALS)}),
        "gates": ("Bounds on what is measured that fail the run, metric: {rule: bound}.", gate()),
        "claims": ("Orders, equalities, bounds, values and trends that the report tests.", claims()),
        "published": ("Numbers from papers, shown beside what is measured.", published()),
        "reference": ("What samples are compared with: a dataset, or stats (a file).", reference()),
        "plugins": ("Plugin files, relative to the suite, and modules.", _some(text, fewest=0)),
        "device": ("Where cells run; a list is an axis.", _some({"enum": list(DEVICES)})),
        "resources": ("What one cell takes of a machine: cpus, gpus, memory in MiB.", resources()),
    }
    needed: JsonSchema = {
        "protocol": {"description": "The kind of experiment.", "type": "string", "enum": protocols},
        "vary": {"description": "Kind: contenders or problems.", "type": "object", "minProperties": 1},
    }
    return needed | {name: {"description": doc, "anyOf": [s, {"type": "null"}]} for name, (doc, s) in said.items()}


def _some(item: Mapping[str, object], fewest: int = 1) -> JsonSchema:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": fewest, "uniqueItems": True}]}


def _or_mapping(value: Schema) -> JsonSchema:
    return {"anyOf": [value, {"type": "object", "additionalProperties": value}]}


def _seeds() -> JsonSchema:
    numbers: list[Mapping[str, object]] = [
        COUNT,
        {"type": "array", "items": SEED, "minItems": 1, "uniqueItems": True},
    ]
    split = [{"enum": list(SPLITS)}, {"type": "null"}]
    long: JsonSchema = {
        "type": "object",
        "properties": {"n": {"anyOf": numbers}, "split": {"anyOf": split}},
        "required": ["n"],
        "additionalProperties": False,
    }
    return {"anyOf": [*numbers, long]}


def _tune() -> JsonSchema:
    properties = {
        "trials": COUNT,
        "metric": {"type": ["string", "null"]},
        "seeds": COUNT,
        "lr": _some({"type": "number"}),
    }
    return {
        "type": "object",
        "properties": properties,
        "patternProperties": {r"\.": {"not": {"type": "array", "maxItems": 0}}},
        "additionalProperties": False,
        "minProperties": 1,
    }


def _only_for(protocol: Protocol, external: Sequence[str]) -> JsonSchema:
    """Return the keys of one protocol: its settings and the kinds it varies, any axes with an `external` trainer."""
    settings = {
        name: _documented(about, _axis(about["schema"], dynamic=False)) for name, about in protocol.fields.items()
    }
    vary: JsonSchema = {
        "properties": {kind: {"anyOf": _one_or_list(kind, ".point")} for kind in protocol.kinds},
        "required": [kind for kind, default in protocol.required_kinds.items() if default is None],
        "additionalProperties": False,
    }
    required = [name for name, about in protocol.fields.items() if "default" not in about]
    written: JsonSchema = {"properties": settings, "additionalProperties": False}
    written |= {"required": required} if required else {}
    more = (["settings"] if required else []) + ([] if protocol.metrics else ["metrics"])
    then: JsonSchema = {"properties": {"settings": written, "vary": vary}, "required": more}
    if TRAINER in protocol.kinds and external:
        programs = {"if": _trained_by(external), "then": {"properties": {"vary": _plain()}}}
        then = {
            "properties": {"settings": written},
            "required": more,
            **programs,
            "else": {"properties": {"vary": vary}},
        }
    condition = {"properties": {"protocol": {"const": protocol.name}}, "required": ["protocol"]}
    return {"if": condition, "then": then}


def _trained_by(external: Sequence[str]) -> JsonSchema:
    """Return a schema of suites with one of these trainers."""
    one: JsonSchema = {"anyOf": [{"type": "object", "required": [name]} for name in external]}
    written = {"properties": {TRAINER: {"anyOf": [one, {"type": "array", "contains": one}]}}, "required": [TRAINER]}
    return {"anyOf": [written, {"properties": {"vary": written}, "required": ["vary"]}]}


def _plain() -> JsonSchema:
    """Return the schema of axes of words and numbers, under a trainer that runs a program."""
    words = _some({"type": ["string", "number", "boolean"]})
    grid = _grid({"type": "array", "minItems": 1})
    known = {TRAINER: {"anyOf": _one_or_list(TRAINER, ".point")}, "dataset": {}}
    return {"properties": known, "additionalProperties": {"anyOf": [words, grid]}}


def _one_or_list(kind: str, form: str) -> list[JsonSchema]:
    one: JsonSchema = {"$ref": f"#/$defs/{kind}{form}"}
    several: JsonSchema = {"type": "array", "items": one, "minItems": 1}
    return [one, several, _grid(several)] if form else [one, several]


def _grid(several: JsonSchema) -> JsonSchema:
    return {"type": "object", "properties": {"sweep": several}, "required": ["sweep"], "additionalProperties": False}


def _defs(table: Table, kinds: list[str]) -> JsonSchema:
    defs: JsonSchema = {}
    for kind in kinds:
        known = {name: description for (k, name), description in table.items() if k == kind}
        defs[kind] = _component(kind, known, {})
        defs[f"{kind}.point"] = _component(kind, known, {"as": {"type": "string", "minLength": 1, "maxLength": 100}})
        defs |= {f"{kind}.{name}": _fields(name, description) for name, description in known.items()}
    return defs


def _component(kind: str, known: Mapping[str, Description], extra: JsonSchema) -> JsonSchema:
    """Return the schema of a name, or a name with its fields; `extra` are keys allowed beside the name."""
    bare = [name for name, about in known.items() if not _required(about)]
    properties = {name: {"$ref": f"#/$defs/{kind}.{name}"} for name in known}
    mapping: JsonSchema = {
        "type": "object",
        "properties": {**properties, **extra},
        "patternProperties": {_IMPORT: {"type": ["object", "null"]}},
        "additionalProperties": False,
    }
    alone: JsonSchema = {"minProperties": 1, "maxProperties": 1}
    both: JsonSchema = {"minProperties": 2, "maxProperties": 2}
    mapping |= {"if": {"required": ["as"]}, "then": both, "else": alone} if extra else alone
    names: list[JsonSchema] = [{"enum": bare}] if bare else []
    return {"anyOf": [*names, {"type": "string", "pattern": _IMPORT}, mapping]}


def _required(about: Description) -> list[str]:
    return [field for field, said in about.get("fields", {}).items() if "default" not in said]


def _fields(name: str, about: Description) -> JsonSchema:
    dynamic = bool(about.get("dynamic"))
    fields = about.get("fields", {})
    mapping: JsonSchema = {
        "type": "object",
        "properties": {field: _documented(said, _axis(said["schema"], dynamic)) for field, said in fields.items()},
        "additionalProperties": ":" in name,
    }
    required = _required(about)
    mapping |= {"required": required} if required else {}
    return {"description": about.get("doc", ""), "anyOf": [mapping, *([] if required else [{"type": "null"}])]}


def _documented(about: FieldInfo, schema: JsonSchema) -> JsonSchema:
    return {**schema, "default": _written(about["default"])} if "default" in about else schema


def _written(value: Json) -> Json:
    """Return a default as a suite writes it: `softmax`, `{"gaussian": {"scale": 2.0}}`."""
    if not isinstance(value, Mapping) or "name" not in value:
        return value
    fields = {field: _written(inner) for field, inner in value.items() if field != "name"}
    return {str(value["name"]): fields} if fields else value["name"]


def _axis(schema: Schema, dynamic: bool) -> JsonSchema:
    """Return the schema of one value, a list of values unless the value is a list itself, or a forced `sweep`."""
    point: list[Mapping[str, object]] = [schema, *_dynamic(schema)] if dynamic and is_number(schema) else [schema]
    several: JsonSchema = {"type": "array", "items": {"anyOf": point}, "minItems": 1}
    return {"anyOf": [*point, *([] if is_list(schema) else [several]), _grid(several)]}


def _dynamic(schema: Schema) -> list[JsonSchema]:
    numbers = [branch for branch in branches(schema) if is_number(branch)]
    number: Schema = numbers[0] if len(numbers) == 1 else {"anyOf": numbers}
    pair: JsonSchema = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    return [_single("learn", number), _single("geometric", pair), _single("linear", pair)]


def _single(word: str, schema: Mapping[str, object]) -> JsonSchema:
    return {"type": "object", "properties": {word: schema}, "required": [word], "additionalProperties": False}
