"""The types a component's fields may have, as JSON Schema fragments, and values converted to them.

A field's type is declared once, as an annotation. Everything else (checking a suite, help, labels, identity, the
editor's schema) uses the fragment that `schema_of` derives from it, so that nothing here imports the plugin.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict, Union, get_args, get_origin

from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt

from harness.dynamic import Dynamic
from harness.errors import BenchError

if TYPE_CHECKING:
    Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
else:
    Json = object  # JSON readers cannot resolve a recursive type
"""JSON data."""

Schema = TypedDict(
    "Schema",
    {
        "type": str,
        "format": str,
        "title": str,
        "enum": Sequence[Json],
        "$ref": str,
        "anyOf": Sequence["Schema"],
        "items": "Schema",
        "propertyNames": "Schema",
        "minimum": float,
        "exclusiveMinimum": float,
        "maximum": float,
        "exclusiveMaximum": float,
    },
    total=False,
)
"""Fragment of JSON Schema for the values that a field accepts; an empty one accepts anything."""


@dataclass(frozen=True)
class PathText:
    """Marks a text as the path of a file or folder, relative to the suite; `or_id`: or as what a library knows."""

    or_id: bool = False


@dataclass(frozen=True)
class ModuleText:
    """Marks a text as an import path, `package.module` or `package.module:attribute`."""


@dataclass(frozen=True)
class CommandText:
    """Marks a text as the command line of a program, with placeholders; see `harness.command_line`."""


Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
UnitInterval = Annotated[float, Ge(0), Le(1)]
PositiveInt = Annotated[int, Ge(1)]
FilePath = Annotated[str, PathText()]
PathOrId = Annotated[str, PathText(or_id=True)]
ImportPath = Annotated[str, ModuleText()]
CommandLine = Annotated[str, CommandText()]

_PLAIN: dict[object, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    type(None): {"type": "null"},
    Any: {},
}


@dataclass(frozen=True)
class Named:
    """Default of a field that holds a component: its name, resolved when the component is built."""

    name: str


def named(name: str) -> Any:
    """Return the default for a component field: `transform: Transform = named("softmax")`."""
    return Named(name)


def schema_of(annotation: object) -> Schema:
    """Return the JSON Schema fragment of a field's annotation; a component kind becomes `{"$ref": "#/$defs/KIND"}`.

    Raises TypeError for an annotation whose values a suite cannot write.
    """
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation].copy()
    kind = getattr(annotation, "kind", None)
    if isinstance(kind, str) and kind:
        return {"$ref": f"#/$defs/{kind}"}
    if origin is Annotated:
        schema = schema_of(args[0])
        for note in args[1:]:
            _bound(schema, note)
        return schema
    if origin is Literal:
        return {"enum": list(args)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(a) for a in args]}
    if origin in (list, tuple, Sequence) or annotation in (list, tuple):
        items = [a for a in args if a is not Ellipsis]
        return {"type": "array", "items": schema_of(items[0]) if items else {}}
    if origin in (dict, Mapping) or annotation is dict:
        named = bool(args) and get_origin(args[0]) is Literal
        return {"type": "object", "propertyNames": schema_of(args[0])} if named else {"type": "object"}
    raise TypeError(f"a field cannot have the type {annotation!r}")


def _bound(schema: Schema, note: object) -> None:
    """Adds a bound of the library annotated-types, or what a text names; nothing for any other note."""
    if isinstance(note, PathText):
        schema["format"] = "path-or-id" if note.or_id else "path"
    elif isinstance(note, (ModuleText, CommandText)):
        schema["format"] = "module" if isinstance(note, ModuleText) else "command"
    for one in note if isinstance(note, GroupedMetadata) else [note]:
        if isinstance(one, Gt):
            schema["exclusiveMinimum"] = _number(one.gt)
        elif isinstance(one, Ge):
            schema["minimum"] = _number(one.ge)
        elif isinstance(one, Lt):
            schema["exclusiveMaximum"] = _number(one.lt)
        elif isinstance(one, Le):
            schema["maximum"] = _number(one.le)


def _number(bound: object) -> float:
    if isinstance(bound, (int, float)):
        return bound
    raise TypeError(f"a field cannot have the bound {bound!r}")


def kind_in(schema: Schema) -> str | None:
    """Return the component kind a fragment asks for, directly or as one branch of `anyOf`."""
    for branch in schema.get("anyOf", [schema]):
        if "$ref" in branch:
            return str(branch["$ref"]).rsplit("/", 1)[1]
    return None


def text_form(schema: Schema) -> str | None:
    """`path`, `path-or-id`, `module` or `command` where the texts a fragment accepts, alone or listed, are such."""
    for branch in schema.get("anyOf", [schema]):
        form = branch.get("format") or branch.get("items", {}).get("format")
        if form is not None:
            return form
    return None


def is_number(schema: Schema) -> bool:
    """Return whether a field with this fragment can be learned or scheduled."""
    return any(branch.get("type") == "number" for branch in schema.get("anyOf", [schema]))


def is_list(schema: Schema) -> bool:
    """Return whether the field's own type is a list, so that a list in a suite is one value and not an axis."""
    return any(branch.get("type") == "array" or branch == {} for branch in schema.get("anyOf", [schema]))


_FORMS: Mapping[str, str] = types.MappingProxyType(
    {"path": "a path", "path-or-id": "a path or an id", "module": "an import path", "command": "a command line"}
)


def says(schema: Schema) -> str:
    """Describe the values that a fragment accepts: `a number above 0`, `one of mean, sum`."""
    if "anyOf" in schema:
        return " or ".join(says(branch) for branch in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(str(v) for v in schema["enum"])
    if "$ref" in schema:
        return f"a {kind_in(schema)}"
    words = {
        "boolean": "true or false", "integer": "a whole number", "number": "a number", "string": "text",
        "null": "null", "array": "a list", "object": "a mapping", None: "anything",
    }  # fmt: skip
    bounds = [
        f"above {schema['exclusiveMinimum']}" if "exclusiveMinimum" in schema else "",
        f"at least {schema['minimum']}" if "minimum" in schema else "",
        f"below {schema['exclusiveMaximum']}" if "exclusiveMaximum" in schema else "",
        f"at most {schema['maximum']}" if "maximum" in schema else "",
    ]
    kind = _FORMS.get(schema.get("format", ""), words[schema.get("type")])
    return " ".join([kind, " and ".join(b for b in bounds if b)]).strip()


def convert(schema: Schema, value: object) -> object:
    """Convert a value to the field's own type (int to float, list to tuple).

    Components, learned and scheduled values are accepted where they fit. Raises BenchError with the type expected.
    """
    if isinstance(value, Dynamic) and is_number(schema):
        numbers = next(iter(value.data().values()))
        for number in numbers if isinstance(numbers, list) else [numbers]:
            convert(schema, number)
        return value
    if "anyOf" in schema:
        return _convert_any(schema, value)
    if "$ref" in schema:
        if getattr(value, "kind", None) == kind_in(schema) or isinstance(value, Named):
            return value
    elif "enum" in schema:
        for choice in schema["enum"]:
            if choice == value and type(choice) is type(value):
                return choice
    else:
        converted = _convert_plain(schema, value)
        if converted is not None:
            return converted
        if schema.get("type", "null") == "null" and value is None:
            return None
    raise BenchError(f"expected {says(schema)}, got {_shown(value)}")


def _convert_any(schema: Schema, value: object) -> object:
    for branch in schema["anyOf"]:
        try:
            return convert(branch, value)
        except BenchError:
            continue
    raise BenchError(f"expected {says(schema)}, got {_shown(value)}")


def _convert_plain(schema: Schema, value: object) -> object:
    kind = schema.get("type")
    if kind is None:
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "string" and isinstance(value, str):
        return value
    if kind == "object" and isinstance(value, Mapping):
        names = schema.get("propertyNames", {}).get("enum", value)
        return dict(value) if all(key in names for key in value) else None
    if kind == "array" and isinstance(value, (list, tuple)):
        return tuple(convert(schema["items"], v) for v in value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if kind == "integer" and (isinstance(value, int) or value.is_integer()) and _within(schema, value):
        return int(value)
    if kind == "number" and _within(schema, value):
        return float(value)
    return None


def _within(schema: Schema, value: float) -> bool:
    if math.isnan(value) or ("exclusiveMinimum" in schema and not value > schema["exclusiveMinimum"]):
        return False
    if "exclusiveMaximum" in schema and not value < schema["exclusiveMaximum"]:
        return False
    return bool(schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
