"""Components named by an import path `module:attribute`: any callable becomes one, with its parameters as fields."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from harness.base import Component, name_of, schemas
from harness.discovery import conformance, loading, sources
from harness.errors import BenchError, near_miss
from harness.kinds import INPUTS, KINDS, Loss, Model, Transform

GIVEN: dict[str, int] = {"loss": 2, "transform": 1, "model": 2}
"""How many leading arguments the harness gives: (logits, target), (logits), (inputs, outputs)."""

INSIDE: dict[str, tuple[str, ...]] = {
    "torch": ("torch.nn", "torch.nn.functional"),
    "torchvision": ("torchvision.ops",),
    "timm": ("timm.loss",),
    "pytorch_metric_learning": ("pytorch_metric_learning.losses",),
}
"""Where libraries keep what a suite may name by the library alone, as in `torch:CrossEntropyLoss`."""

DRIVEN: dict[tuple[str, str], str] = {("sampler", "diffusers"): "scheduler"}
"""(kind, library) whose classes the stock component named after the library drives: its field that says which."""


def imported(kind: str, path: str) -> type[Component]:
    """The component class behind an import path. Raises BenchError where there is none."""
    target = _target(path)
    if isinstance(target, type) and issubclass(target, Component):
        if target.kind != kind:
            raise BenchError(f"{path} is a {target.kind or 'component of no kind'}, here stands a {kind}")
        conformance.check_class(target)
        body = {"__doc__": target.__doc__, "__module__": target.__module__, "import_path": path, "imported": target}
        return type(path, (target,), body)
    if (kind, path.partition(":")[0]) in DRIVEN:
        return _driven(kind, path, target)
    if kind not in GIVEN:
        raise BenchError(f"{path}: a {kind} must be a subclass of harness.{KINDS[kind].__name__}")
    if not callable(target):
        raise BenchError(f"{path} cannot be called: a {kind} is a function or a class")
    return _wrapped(kind, path, target)


def _target(path: str) -> Any:
    module, _, attribute = path.partition(":")
    first = attribute.split(".")[0]
    places = [_module(path, name) for name in (module, *INSIDE.get(module, ()))]
    target: Any = next((place for place in places if hasattr(place, first)), None)
    for name in attribute.split("."):
        if not hasattr(target, name):
            around = places if target is None else [target]
            known = sorted({word for place in around for word in dir(place) if not word.startswith("_")})
            raise BenchError(f"{path}: {module} has no {name!r}{near_miss(name, known)}")
        target = getattr(target, name)
    return target


def _module(path: str, name: str) -> Any:
    try:
        return importlib.import_module(name)
    except BaseException as error:  # a module may raise anything
        first = str(error).split("\n")[0]
        raise BenchError(f"{path}: cannot be imported: {type(error).__name__}: {first}") from error


def _driven(kind: str, path: str, target: Any) -> type[Component]:
    """The stock component for a library, with the field filled in that names the library's class."""
    library, _, attribute = path.partition(":")
    source = next(each for each in sources.stock() if each.name == f"{kind}s.{library}")
    found: list[type[Component]] = loading.load(source).components()
    driver = next(cls for cls in found if name_of(cls) == library)
    field = DRIVEN[kind, library]
    doc = (inspect.getdoc(target) or f"{path}.").split("\n")[0]
    body = {"__doc__": doc, "__module__": __name__, "__annotations__": {field: ClassVar[str]}, field: attribute}
    return type(path, (driver,), body | {"imported": staticmethod(target), "import_path": path})


def _wrapped(kind: str, path: str, target: Callable[..., Any]) -> type[Component]:
    base = {"loss": _Loss, "transform": _Transform, "model": _Model}[kind]
    hints, defaults, asked = _parameters(kind, target, base)
    doc = (inspect.getdoc(target) or f"{path}.").split("\n")[0]
    body = {"__doc__": doc, "__module__": __name__, "__annotations__": hints, **defaults}
    if asked:
        body["__call__"] = _asking(asked)
    return type(path, (base,), body | {"imported": staticmethod(target), "import_path": path})


def _parameters(
    kind: str, target: Callable[..., Any], base: type[Component]
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """The fields a callable's parameters make, their plain defaults, and the inputs it asks for by name."""
    try:
        signature = list(inspect.signature(target).parameters.values())
    except ValueError:  # built-ins written in C may have no signature
        return {}, {}, []
    made = inspect.isclass(target) and kind != "model"
    rest = [p for p in signature[0 if made else GIVEN[kind] :] if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    asked = [p.name for p in rest if p.name in INPUTS and kind == "loss" and not made]
    fields = [p for p in rest if p.name not in INPUTS and not hasattr(base, p.name) and _plain(p)]
    hints = {p.name: _hint(p.default) for p in fields}
    return hints, {p.name: p.default for p in fields if p.default is not p.empty}, asked


def _hint(default: Any) -> Any:
    """The type that a default shows; a whole number may stand for any number, so it shows none."""
    return type(default) if isinstance(default, (bool, float, str)) else Any


def _asking(names: list[str]) -> Callable[..., Any]:
    """A loss's `__call__` whose signature asks for inputs by name, as the callable behind it does."""

    def call(self: Any, logits: Any, target: Any, **inputs: Any) -> Any:
        return self._apply(logits, target, **inputs)

    parameter = inspect.Parameter
    first = [parameter(name, parameter.POSITIONAL_OR_KEYWORD) for name in ("self", "logits", "target")]
    asked = [parameter(name, parameter.KEYWORD_ONLY) for name in names]
    call.__signature__ = inspect.Signature([*first, *asked])  # type: ignore[attr-defined]
    return call


def _plain(parameter: inspect.Parameter) -> bool:
    """Whether a suite could write the parameter: it has no default, or one that JSON can hold."""
    try:
        json.dumps(None if parameter.default is parameter.empty else parameter.default)
    except (TypeError, ValueError):
        return False
    return True


class _Imported(Component):
    """What the three adapters share."""

    imported: ClassVar[Any]
    import_path: ClassVar[str]

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in schemas(type(self))}

    def _apply(self, *args: Any, **inputs: Any) -> Any:
        behind: Any = type(self).imported
        made: Any = behind(**self._fields()) if isinstance(behind, type) else partial(behind, **self._fields())
        return made(*args, **inputs)


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
        factory: Any = type(self).imported
        return factory(inputs, outputs, **self._fields())
