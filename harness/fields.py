"""The types a component's fields may have, as JSON Schema fragments, and values converted to them.

A field's type is said once, as an annotation. Everything else (checking a suite, help, labels, identity, the
editor's schema) reads the fragment that `schema_of` makes of it, so nothing here needs the plugin imported.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from harness.dynamic import Dynamic
from harness.errors import BenchError

Schema = dict[str, Any]


@dataclass(frozen=True)
class Only:
    """Narrows an annotated type: `Annotated[float, Only(least=1)]`."""

    above: float | None = None
    least: float | None = None
    most: float | None = None
    format: str | None = None

    def schema(self) -> Schema:
        """The keywords of JSON Schema."""
        words = {"exclusiveMinimum": self.above, "minimum": self.least, "maximum": self.most, "format": self.format}
        return {word: value for word, value in words.items() if value is not None}


Positive = Annotated[float, Only(above=0)]
NonNegative = Annotated[float, Only(least=0)]
AtLeastOne = Annotated[float, Only(least=1)]
Unit = Annotated[float, Only(least=0, most=1)]
Count = Annotated[int, Only(least=1)]
File = Annotated[str, Only(format="path")]

_PLAIN: dict[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    type(None): {"type": "null"},
    Any: {},
}


@dataclass(frozen=True)
class Named:
    """The default of a field that holds a component: its name, resolved when the component is built."""

    name: str


def named(name: str) -> Any:
    """Default for a component field: `transform: Transform = named("softmax")`."""
    return Named(name)


def schema_of(annotation: Any) -> Schema:
    """The JSON Schema fragment of a field's annotation; a component kind becomes `{"$ref": "#/$defs/KIND"}`.

    Raises TypeError for an annotation no suite could write.
    """
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation in _PLAIN:
        return dict(_PLAIN[annotation])
    kind = getattr(annotation, "kind", None)
    if isinstance(kind, str) and kind:
        return {"$ref": f"#/$defs/{kind}"}
    if origin is Annotated:
        extra: Schema = {}
        for note in args[1:]:
            extra |= note.schema() if isinstance(note, Only) else {}
        return schema_of(args[0]) | extra
    if origin is Literal:
        return {"enum": list(args)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(a) for a in args]}
    if origin in (list, tuple, Sequence) or annotation in (list, tuple):
        items = [a for a in args if a is not Ellipsis]
        return {"type": "array", "items": schema_of(items[0]) if items else {}}
    if origin in (dict, Mapping) or annotation is dict:
        return {"type": "object"}
    raise TypeError(f"a field cannot have the type {annotation!r}")


def kind_in(schema: Schema) -> str | None:
    """The component kind a fragment asks for, directly or as one branch of `anyOf`."""
    for branch in schema.get("anyOf", [schema]):
        if "$ref" in branch:
            return str(branch["$ref"]).rsplit("/", 1)[1]
    return None


def is_number(schema: Schema) -> bool:
    """Whether a field with this fragment could be learned or scheduled."""
    return any(branch.get("type") == "number" for branch in schema.get("anyOf", [schema]))


def is_list(schema: Schema) -> bool:
    """Whether the field's own type is a list, so that a list in a suite is one value and not an axis."""
    return any(branch.get("type") == "array" or branch == {} for branch in schema.get("anyOf", [schema]))


def says(schema: Schema) -> str:
    """What a fragment accepts, in words: `a number above 0`, `one of mean, sum`."""
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
        f"at most {schema['maximum']}" if "maximum" in schema else "",
    ]
    kind = "a path" if schema.get("format") == "path" else words[schema.get("type")]
    return " ".join([kind, " and ".join(b for b in bounds if b)]).strip()


def convert(schema: Schema, value: Any) -> Any:
    """The value in the field's own type (int to float, list to tuple).

    Components, learned and scheduled values pass where they fit. Raises BenchError saying what was expected.
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


def _convert_any(schema: Schema, value: Any) -> Any:
    for branch in schema["anyOf"]:
        try:
            return convert(branch, value)
        except BenchError:
            continue
    raise BenchError(f"expected {says(schema)}, got {_shown(value)}")


def _convert_plain(schema: Schema, value: Any) -> Any:
    kind = schema.get("type")
    if kind is None:
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "string" and isinstance(value, str):
        return value
    if kind == "object" and isinstance(value, Mapping):
        return dict(value)
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
    return bool(schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
