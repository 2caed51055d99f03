"""Checks at registration, so that no mistake goes unnoticed: every error is one line with file:line and a near miss."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import inspect
import json
import sys
from pathlib import Path
from typing import Any, ClassVar, get_origin, get_type_hints

from harness.base import Component, attribute, data_of, declared_schemas, is_derived, schemas
from harness.discovery import references
from harness.discovery.signatures import check_signatures, place
from harness.dynamic import Dynamic
from harness.errors import BenchError, near_miss
from harness.fields import Named, Schema, convert, schema_of
from harness.kinds import KINDS

__all__ = ["check_class", "place"]


def check_class(cls: type[Component]) -> None:
    """Check that a class is complete: docstring, methods, annotated public attributes, writable fields."""
    if not (cls.__doc__ or "").strip():
        raise BenchError(f"{cls.__name__} has no docstring: its first line is its help", place(cls))
    missing = sorted(cls.__abstractmethods__)
    if missing:
        own = [n for n, v in vars(cls).items() if inspect.isfunction(v) and n not in ("__init__", *missing)]
        near = near_miss(missing[0], own).suggestion
        raise BenchError(f"{cls.__name__} lacks the method {missing[0]}{near}", place(cls))
    _check_attributes(cls)
    _check_fields(cls)
    check_signatures(cls)
    _check_declared(cls)
    _check_reference(cls)


def _check_attributes(cls: type[Component]) -> None:
    declared = {
        name for base in cls.__mro__[1:] for name, hint in _annotations(base).items() if _is_class_variable(hint)
    }
    declared |= {*cls.declared_attributes, references.ATTRIBUTE}
    own = _annotations(cls)
    for name, value in vars(cls).items():
        plain = not (
            callable(value) or isinstance(value, (property, classmethod, staticmethod)) or name.startswith("_")
        )
        if plain and name not in own and name not in declared:
            shown = type(value).__name__ if isinstance(value, (bool, int, float, str)) else "ClassVar"
            near = near_miss(name, declared - {"kind", "dynamic"}).suggestion
            raise BenchError(
                f"{cls.__name__}.{name} has no annotation, so it is no field: write `{name}: {shown} = ...`{near}",
                _line_of(cls, name),
            )
    better = getattr(cls, "higher_is_better", None)
    if better not in (True, False, None):
        at = _line_of(cls, "higher_is_better")
        raise BenchError(f"{cls.__name__}.higher_is_better: expected True, False or None, got {better!r}", at)


def _check_declared(cls: type[Component]) -> None:
    """Check the types of the declared attributes that a class sets."""
    for name, schema in declared_schemas(cls).items():
        if name in schemas(cls) or is_derived(cls, name):
            continue
        try:
            convert(schema, getattr(cls, name))
        except BenchError as error:
            raise BenchError(f"{cls.__name__}.{name}: {error.what}", _line_of(cls, name)) from None


def _check_reference(cls: type[Component]) -> None:
    try:
        references.of_class(cls)
    except BenchError as error:
        raise BenchError(f"{cls.__name__}.{error.what}", _line_of(cls, references.ATTRIBUTE)) from None


def _annotations(cls: type) -> dict[str, Any]:
    return dict(inspect.get_annotations(cls))


def _is_class_variable(hint: Any) -> bool:
    return "ClassVar" in hint if isinstance(hint, str) else hint is ClassVar or get_origin(hint) is ClassVar


def _check_fields(cls: type[Component]) -> None:
    fields = _schemas(cls)
    known = inspect.signature(cls).parameters
    if set(known) != set(map(attribute, fields)):
        raise BenchError(f"{cls.__name__} defines __init__, which the fields write: leave it out", place(cls))
    shared = _schemas(KINDS[cls.kind])
    for name, schema in fields.items():
        if name in ("name", "as") or (
            hasattr(KINDS[cls.kind], name) and name not in (*shared, *cls.declared_attributes, *cls.may_be_fields)
        ):
            raise BenchError(f"{cls.__name__}.{name}: a field cannot be called {name!r}", _line_of(cls, name))
        default = known[attribute(name)].default
        if default is inspect.Parameter.empty or isinstance(default, (Named, Dynamic)):
            continue
        try:
            json.dumps(data_of(convert(schema, default)))
        except (BenchError, TypeError, ValueError) as error:
            what = error.what if isinstance(error, BenchError) else f"{default!r} is nothing a suite could write"
            raise BenchError(f"{cls.__name__}.{name}: default {what}", _line_of(cls, name)) from None


def _schemas(cls: type[Component]) -> dict[str, Schema]:
    """Return the fields' schemas; one at a time if that fails, to find the field at fault."""
    try:
        return schemas(cls)
    except Exception:
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            _check_type(cls, field.name, field.type)
        raise


def _check_type(cls: type[Component], name: str, annotation: Any) -> None:
    alone = type(cls.__name__, (), {"__annotations__": {name: annotation}, "__module__": cls.__module__})
    try:
        schema_of(get_type_hints(alone, include_extras=True)[name])
    except Exception as error:
        words = [*vars(builtins), *vars(sys.modules[cls.__module__])]
        near = near_miss(str(error.name), words).suggestion if isinstance(error, NameError) else ""
        raise BenchError(f"{cls.__name__}.{name}: {error}{near}", _line_of(cls, name)) from None


def _line_of(cls: type, attribute: str) -> str:
    """Return file:line of an attribute in the class body."""
    file, _, first = place(cls).rpartition(":")
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError):
        return f"{file}:{first}"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
            for line in node.body:
                targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
                if any(isinstance(t, ast.Name) and t.id == attribute for t in targets):
                    return f"{file}:{line.lineno}"
    return f"{file}:{first}"
