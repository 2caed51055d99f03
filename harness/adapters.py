"""Components named by an import path `module:attribute`: any callable becomes one, with its parameters as fields."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable
from typing import Any, ClassVar

from harness.base import Component, schemas
from harness.errors import BenchError, near_miss
from harness.kinds import INPUTS, KINDS, Loss, Model, Transform

GIVEN: dict[str, int] = {"loss": 2, "transform": 1, "model": 2}
"""How many leading arguments the harness gives: (logits, target), (logits), (inputs, outputs)."""


def imported(kind: str, path: str) -> type[Component]:
    """The component class behind an import path. Raises BenchError where there is none."""
    module_name, _, attribute = path.partition(":")
    try:
        target: Any = importlib.import_module(module_name)
    except Exception as error:
        raise BenchError(f"{path}: cannot be imported: {type(error).__name__}: {error}") from error
    for name in attribute.split("."):
        if not hasattr(target, name):
            raise BenchError(f"{path}: {module_name} has no {name!r}{near_miss(name, vars(target))}")
        target = getattr(target, name)
    if isinstance(target, type) and issubclass(target, Component):
        return target
    if kind not in GIVEN or not callable(target):
        raise BenchError(f"{path}: a {kind} must be a subclass of harness.{KINDS[kind].__name__}")
    return _wrapped(kind, path, target)


def _wrapped(kind: str, path: str, target: Callable[..., Any]) -> type[Component]:
    fields = _parameters(kind, target)
    base = {"loss": _Loss, "transform": _Transform, "model": _Model}[kind]
    doc = (inspect.getdoc(target) or f"{path}.").split("\n")[0]
    body = {"__doc__": doc, "__module__": __name__, "__annotations__": dict.fromkeys(fields, "Any")}
    return type(path, (base,), body | fields | {"target": staticmethod(target), "import_path": path})


def _parameters(kind: str, target: Callable[..., Any]) -> dict[str, Any]:
    """Parameters with plain defaults; a function's first ones are the harness's to give."""
    try:
        signature = list(inspect.signature(target).parameters.values())
    except ValueError:
        return {}
    given = 0 if inspect.isclass(target) and kind != "model" else GIVEN[kind]
    return {
        p.name: p.default
        for p in signature[given:]
        if p.default is not p.empty and p.name not in INPUTS and _plain(p.default)
    }


def _plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


class _Imported(Component):
    """What the three adapters share."""

    target: ClassVar[Any]
    import_path: ClassVar[str]

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in schemas(type(self))}

    def _apply(self, *args: Any) -> Any:
        target = type(self).target
        return target(**self._fields())(*args) if inspect.isclass(target) else target(*args, **self._fields())


class _Loss(_Imported, Loss):
    """Any callable (logits, target), or class of such callables."""

    def __call__(self, logits: Any, target: Any) -> Any:
        return self._apply(logits, target)


class _Transform(_Imported, Transform):
    """Any callable (logits), or class of such callables."""

    def __call__(self, logits: Any) -> Any:
        return self._apply(logits)


class _Model(_Imported, Model):
    """Any factory of torch modules that takes (inputs, outputs)."""

    def build(self, inputs: int, outputs: int) -> Any:
        """The factory's module."""
        return type(self).target(inputs, outputs, **self._fields())
