"""What registration checks, so that silence is an error: every complaint is one line with file:line and a near miss."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, get_origin

from harness import hookspecs
from harness.base import Component, name_of, schemas
from harness.errors import BenchError, near_miss
from harness.fields import Dynamic, Named, convert
from harness.inputs import required
from harness.kinds import INPUTS, KINDS

_MARK = f"{hookspecs.PROJECT}_impl"
_HOOKS = [name for name, value in vars(hookspecs).items() if hasattr(value, f"{hookspecs.PROJECT}_spec")]


def place(cls: type) -> str:
    """file:line of a class."""
    try:
        return f"{inspect.getsourcefile(cls)}:{inspect.getsourcelines(cls)[1]}"
    except (OSError, TypeError):
        return f"{getattr(inspect.getmodule(cls), '__file__', cls.__module__)}:1"


def check_hooks(module: ModuleType, file: str) -> None:
    """Every marked function is a known hook, and `components` is there and marked."""
    for name, value in vars(module).items():
        if inspect.isfunction(value) and hasattr(value, _MARK) and name not in _HOOKS:
            at = f"{file}:{value.__code__.co_firstlineno}"
            raise BenchError(f"no hook is called {name!r}{near_miss(name, _HOOKS)}", at)
    hook = getattr(module, "components", None)
    if inspect.isfunction(hook) and not hasattr(hook, _MARK):
        raise BenchError(
            "components() is not registered: put @hookimpl above it", f"{file}:{hook.__code__.co_firstlineno}"
        )
    if not any(hasattr(value, _MARK) for value in vars(module).values()):
        close = near_miss(
            "components", [n for n, v in vars(module).items() if inspect.isfunction(v) and n != "hookimpl"]
        )
        raise BenchError(
            f"the plugin registers nothing: it needs @hookimpl def components(){close if 'did you' in close else ''}",
            f"{file}:1",
        )


def check_answer(answer: Any, module: ModuleType, file: str) -> list[type[Component]]:
    """What `components()` returned is a list of component classes."""
    at = f"{file}:{vars(module)['components'].__code__.co_firstlineno}"
    if not isinstance(answer, (list, tuple)):
        raise BenchError(f"components() must return a list of classes, not {type(answer).__name__}", at)
    for cls in answer:
        if isinstance(cls, Component):
            raise BenchError(f"components() must return the class {type(cls).__name__}, not an instance of it", at)
        if not (isinstance(cls, type) and issubclass(cls, Component) and cls.kind in KINDS):
            raise BenchError(f"{getattr(cls, '__name__', cls)!s} is not a component: subclass {_kinds()}", at)
    return list(answer)


def _kinds() -> str:
    return " or ".join(", ".join(sorted(k.__name__ for k in KINDS.values())).rsplit(", ", 1))


def check_class(cls: type[Component]) -> None:
    """A class is complete: documented, its methods there, its public attributes annotated, its fields writable."""
    if not cls.__doc__:
        raise BenchError(f"{cls.__name__} has no docstring: its first line is its help", place(cls))
    missing = sorted(cls.__abstractmethods__)
    if missing:
        method = missing[0]
        own = [n for n, v in vars(cls).items() if inspect.isfunction(v) and n not in ("__init__", "__post_init__")]
        close = near_miss(method, own)
        raise BenchError(f"{cls.__name__} lacks the method {method}{close if 'did you' in close else ''}", place(cls))
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
            raise BenchError(
                f"{cls.__name__}.{name} has no annotation, so it is no field: write `{name}: {shown} = ...`",
                _line_of(cls, name),
            )


def _annotations(cls: type) -> dict[str, Any]:
    return dict(inspect.get_annotations(cls))


def _is_class_variable(hint: Any) -> bool:
    return "ClassVar" in hint if isinstance(hint, str) else hint is ClassVar or get_origin(hint) is ClassVar


def _check_fields(cls: type[Component]) -> None:
    try:
        fields = schemas(cls)
    except (TypeError, NameError) as error:
        raise BenchError(f"{cls.__name__}: {error}", place(cls)) from None
    for name, schema in fields.items():
        if name in ("name", "as"):
            raise BenchError(f"{cls.__name__}.{name}: a field cannot be called {name!r}", _line_of(cls, name))
        default = inspect.signature(cls).parameters[name].default
        if default is inspect.Parameter.empty or isinstance(default, (Named, Dynamic)):
            continue
        try:
            convert(schema, default)
        except BenchError as error:
            raise BenchError(f"{cls.__name__}.{name}: default {error.what}", _line_of(cls, name)) from None


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
