"""What registration checks, so that silence is an error: every complaint is one line with file:line and a near miss."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import inspect
import json
import sys
from pathlib import Path
from typing import Any, ClassVar, get_origin, get_type_hints

from harness.base import Component, data_of, name_of, schemas
from harness.discovery.registration import close
from harness.dynamic import Dynamic
from harness.errors import BenchError, near_miss
from harness.fields import Named, Schema, convert, schema_of
from harness.inputs import required
from harness.kinds import INPUTS, KINDS


def place(cls: type) -> str:
    """file:line of a class, or of what it was made of where it has an import path."""
    cls = vars(cls).get("imported", cls)
    cls = getattr(cls, "__func__", cls)
    try:
        return f"{inspect.getsourcefile(cls)}:{inspect.getsourcelines(cls)[1]}"
    except (OSError, TypeError):
        return f"{getattr(inspect.getmodule(cls), '__file__', cls.__module__)}:1"


def check_class(cls: type[Component]) -> None:
    """A class is complete: documented, its methods there, its public attributes annotated, its fields writable."""
    if not (cls.__doc__ or "").strip():
        raise BenchError(f"{cls.__name__} has no docstring: its first line is its help", place(cls))
    missing = sorted(cls.__abstractmethods__)
    if missing:
        own = [n for n, v in vars(cls).items() if inspect.isfunction(v) and n not in ("__init__", *missing)]
        near = close(missing[0], own)
        raise BenchError(f"{cls.__name__} lacks the method {missing[0]}{near}", place(cls))
    _check_attributes(cls)
    _check_fields(cls)
    _check_inputs(cls)


def _check_attributes(cls: type[Component]) -> None:
    declared = {
        name for base in cls.__mro__[1:] for name, hint in _annotations(base).items() if _is_class_variable(hint)
    }
    own = _annotations(cls)
    for name, value in vars(cls).items():
        plain = not (
            callable(value) or isinstance(value, (property, classmethod, staticmethod)) or name.startswith("_")
        )
        if plain and name not in own and name not in declared:
            shown = type(value).__name__ if isinstance(value, (bool, int, float, str)) else "ClassVar"
            near = close(name, sorted(declared - {"kind", "dynamic"}))
            raise BenchError(
                f"{cls.__name__}.{name} has no annotation, so it is no field: write `{name}: {shown} = ...`{near}",
                _line_of(cls, name),
            )
    better = getattr(cls, "better", "higher")
    if better not in ("higher", "lower", None):
        at = _line_of(cls, "better")
        raise BenchError(f"{cls.__name__}.better: expected one of higher, lower, None, got {better!r}", at)


def _annotations(cls: type) -> dict[str, Any]:
    return dict(inspect.get_annotations(cls))


def _is_class_variable(hint: Any) -> bool:
    return "ClassVar" in hint if isinstance(hint, str) else hint is ClassVar or get_origin(hint) is ClassVar


def _check_fields(cls: type[Component]) -> None:
    fields = _schemas(cls)
    known = inspect.signature(cls).parameters
    if set(known) != set(fields):
        raise BenchError(f"{cls.__name__} defines __init__, which the fields write: leave it out", place(cls))
    shared = _schemas(KINDS[cls.kind])
    for name, schema in fields.items():
        if name in ("name", "as") or (hasattr(KINDS[cls.kind], name) and name not in shared):
            raise BenchError(f"{cls.__name__}.{name}: a field cannot be called {name!r}", _line_of(cls, name))
        default = known[name].default
        if default is inspect.Parameter.empty or isinstance(default, (Named, Dynamic)):
            continue
        try:
            json.dumps(data_of(convert(schema, default)))
        except (BenchError, TypeError, ValueError) as error:
            what = error.what if isinstance(error, BenchError) else f"{default!r} is nothing a suite could write"
            raise BenchError(f"{cls.__name__}.{name}: default {what}", _line_of(cls, name)) from None


def _schemas(cls: type[Component]) -> dict[str, Schema]:
    """The fields' schemas; one at a time where they cannot be had together, to find the one that is wrong."""
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
        near = close(str(error.name), words) if isinstance(error, NameError) else ""
        raise BenchError(f"{cls.__name__}.{name}: {error}{near}", _line_of(cls, name)) from None


def _check_inputs(cls: type[Component]) -> None:
    if cls.kind != "loss":
        return
    asked = required(cls.__call__)
    if len(asked) < 2 and not _takes_any(cls):
        raise BenchError(f"{cls.__name__}.__call__ takes (logits, target), it has {len(asked)} of them", place(cls))
    for name in asked[2:]:
        if name not in INPUTS:
            raise BenchError(f"{name_of(cls)} asks for the input {name!r}{near_miss(name, INPUTS)}", place(cls))


def _takes_any(cls: type[Component]) -> bool:
    kinds = [p.kind for p in inspect.signature(cls.__call__).parameters.values()]
    return inspect.Parameter.VAR_POSITIONAL in kinds


def _line_of(cls: type, attribute: str) -> str:
    """file:line of an attribute in the class body."""
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
