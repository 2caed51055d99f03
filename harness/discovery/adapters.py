"""Components named by an import path `module:attribute`: any callable can be one, with its parameters as fields."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from harness.base import Component, name_of, schemas
from harness.discovery import declarations, loading, sources
from harness.discovery.networks import called, sizes_by_name
from harness.errors import BenchError, NotImported, near_miss
from harness.kinds import KINDS, LOSS_INPUTS, Loss, Model, Transform

if TYPE_CHECKING:
    from torch import Tensor, nn

GIVEN: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "loss": ("logits", "target"),
        "transform": ("logits",),
        "model": ("inputs", "outputs"),
        "sampler": ("model", "x", "sigmas"),
    }
)
"""Leading arguments that the harness passes."""

INSIDE: dict[str, tuple[str, ...]] = {
    "torch": ("torch.nn", "torch.nn.functional"),
    "torchvision": ("torchvision.ops",),
    "timm": ("timm.loss",),
    "pytorch_metric_learning": ("pytorch_metric_learning.losses",),
}
"""Modules searched for names that a suite gives by the library alone, as in `torch:CrossEntropyLoss`."""

DRIVEN: dict[tuple[str, str], str] = {("sampler", "diffusers"): "scheduler", ("sampler", "k_diffusion"): "function"}
"""(kind, library) whose classes, and those derived from them, run through the stock component named after the library
-> its field for the class."""
FUNCTIONS: dict[str, str] = {"sampler": "k_diffusion"}
"""Kind -> library through whose stock component functions run, whatever module they are from."""


def imported(kind: str, path: str) -> type[Component]:
    """Return the component class behind an import path. Raises BenchError if there is none."""
    target = import_attribute(path)
    if isinstance(target, type) and issubclass(target, Component):
        if target.kind != kind:
            raise BenchError(f"{path} is a {target.kind or 'component of no kind'}, here stands a {kind}")
        declarations.check_class(target)
        body = {"__doc__": target.__doc__, "__module__": target.__module__, "import_path": path, "imported": target}
        return type(path, (target,), body)
    if callable(target) and (library := _library(kind, path, target)):
        return _driven(kind, library, path, target)
    if kind in FUNCTIONS and callable(target) and not isinstance(target, type):
        return _driven(kind, FUNCTIONS[kind], path, target)
    if kind not in GIVEN or kind in FUNCTIONS:
        raise BenchError(f"{path}: a {kind} must be a subclass of harness.{KINDS[kind].__name__}")
    if not callable(target):
        raise BenchError(f"{path} cannot be called: a {kind} is a function or a class")
    if kind == "model" and hasattr(target, "state_dict") and not isinstance(target, type):
        raise BenchError(f"{path} is a network: name the class or the function that makes it, a new one for every seed")
    return _wrapped(kind, path, target)


def import_attribute(path: str) -> object:
    """Return what an import path `module:attribute` names. Raises BenchError if there is nothing, with a near miss."""
    module, _, attribute = path.partition(":")
    first = attribute.split(".")[0]
    names = (*(() if module == "torch" else (module,)), *INSIDE.get(module, ()))  # torch itself has much else
    places = [_module(path, name) for name in names]
    target: object = next((place for place in places if hasattr(place, first)), None)
    for name in attribute.split("."):
        if not hasattr(target, name):
            around = places if target is None else [target]
            known = sorted({word for place in around for word in dir(place) if not word.startswith("_")})
            raise BenchError(f"{path}: {module} has no {name!r}{near_miss(name, known)}")
        target = getattr(target, name)
    return target


def _module(path: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except BaseException as error:  # a module may raise anything
        first = str(error).split("\n")[0]
        raise NotImported(f"{path}: cannot be imported: {type(error).__name__}: {first}") from error


def _library(kind: str, path: str, target: object) -> str | None:
    """Return the library whose stock component runs a target: named in the path, or that of a class it derives from."""
    roots = {cls.__module__.partition(".")[0] for cls in getattr(target, "__mro__", ())} | {path.partition(":")[0]}
    return next((library for driven, library in DRIVEN if driven == kind and library in roots), None)


def _driven(kind: str, library: str, path: str, target: Callable[..., object]) -> type[Component]:
    """Return the stock component for a library, with the field that names the library's class or function filled in."""
    if kind in FUNCTIONS and not isinstance(target, type):
        _check_arguments(kind, path, target)
    attribute = path.partition(":")[2]
    source = next(each for each in sources.stock() if each.name == f"{kind}s.{library}")
    found: list[type[Component]] = loading.load(source).components()
    driver = next(cls for cls in found if name_of(cls) == library)
    field = DRIVEN[kind, library]
    doc = (inspect.getdoc(target) or f"{path}.").split("\n")[0]
    body = {"__doc__": doc, "__module__": __name__, "__annotations__": {field: ClassVar[str]}, field: attribute}
    return type(path, (driver,), body | {"imported": staticmethod(target), "import_path": path})


def _wrapped(kind: str, path: str, target: Callable[..., object]) -> type[Component]:
    base = {"loss": _Loss, "transform": _Transform, "model": _Model}[kind]
    _check_arguments(kind, path, target)
    hints, defaults, asked = _parameters(kind, target, base)
    doc = (inspect.getdoc(target) or f"{path}.").split("\n")[0]
    body: dict[str, object] = {"__doc__": doc, "__module__": __name__, "__annotations__": hints, **defaults}
    if asked:
        body["__call__"] = _asking(asked)
    return type(path, (base,), body | {"imported": staticmethod(target), "import_path": path})


def _check_arguments(kind: str, path: str, target: Callable[..., object]) -> None:
    """Check that a callable, or an instance of a class of callables, accepts the arguments that the harness passes."""
    if kind == "model" and sizes_by_name(target):
        return
    names = GIVEN[kind]
    made = inspect.isclass(target) and kind != "model"
    behind: Any = target
    called = (getattr(behind, "forward", None) or behind.__call__) if made else behind
    try:
        signature = inspect.signature(called)
    except (TypeError, ValueError):  # built-ins written in C may have no signature
        return
    try:
        signature.bind_partial(*[None] * (len(names) + made))  # the first one of a class's method is the instance
    except TypeError:
        taken = [p.replace(annotation=p.empty) for p in signature.parameters.values()][made:]
        raise BenchError(f"{path} takes {inspect.Signature(taken)}, expected ({', '.join(names)})") from None


def _parameters(
    kind: str, target: Callable[..., object], base: type[Component]
) -> tuple[dict[str, object], dict[str, object], list[str]]:
    """Return the fields made from a callable's parameters, their plain defaults, and the inputs it requests by name."""
    try:
        signature = list(inspect.signature(target).parameters.values())
    except ValueError:  # built-ins written in C may have no signature
        return {}, {}, []
    made = inspect.isclass(target) and kind != "model"
    sizes = sizes_by_name(target) if kind == "model" else {}
    given = 0 if made or sizes else len(GIVEN[kind])
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    rest = [p for p in signature[given:] if p.kind in by_name and p.name not in sizes]
    asked = [p.name for p in rest if p.name in LOSS_INPUTS and kind == "loss" and not made]
    fields = [p for p in rest if p.name not in LOSS_INPUTS and not hasattr(base, p.name) and _plain(p)]
    hints = {p.name: _hint(p.default) for p in fields}
    return hints, {p.name: p.default for p in fields if p.default is not p.empty}, asked


def _hint(default: object) -> object:
    """Return the type of a default; None for an integer, which may represent any number."""
    return type(default) if isinstance(default, (bool, float, str)) else Any


def _asking(names: list[str]) -> Callable[..., Tensor]:
    """Return a `__call__` for a loss whose signature requests inputs by name, as the wrapped callable does."""

    def call(self: _Loss, logits: Tensor, target: Tensor, **inputs: object) -> Tensor:
        return self._apply(logits, target, **inputs)

    parameter = inspect.Parameter
    first = [parameter(name, parameter.POSITIONAL_OR_KEYWORD) for name in ("self", "logits", "target")]
    asked = [parameter(name, parameter.KEYWORD_ONLY) for name in names]
    call.__signature__ = inspect.Signature([*first, *asked])  # type: ignore[attr-defined]
    return call


def _plain(parameter: inspect.Parameter) -> bool:
    """Return whether a suite can write the parameter: it has no default, or one with a JSON form."""
    try:
        json.dumps(None if parameter.default is parameter.empty else parameter.default)
    except (TypeError, ValueError):
        return False
    return True


class _Imported(Component):
    """Base of the three adapters."""

    imported: ClassVar[Callable[..., Any]]
    import_path: ClassVar[str]

    def _fields(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in schemas(type(self))}

    def _apply(self, *args: Tensor, **inputs: object) -> Tensor:
        behind, fields = type(self).imported, self._fields()
        if isinstance(behind, type):
            found: Tensor = behind(**fields)(*args, **inputs)
            return found
        found = behind(*args, **{**fields, **inputs})
        return found


class _Loss(_Imported, Loss):
    """A callable (logits, target), or a class of such callables."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return self._apply(logits, target)


class _Transform(_Imported, Transform):
    """A callable (logits), or a class of such callables."""

    def __call__(self, logits: Tensor) -> Tensor:
        return self._apply(logits)


class _Model(_Imported, Model):
    """A factory of torch modules with the arguments (inputs, outputs)."""

    def build(self, inputs: int | tuple[int, ...], outputs: int) -> nn.Module:
        """Return the factory's module; sizes go by name where the factory has common names for them."""
        module: nn.Module = called(type(self).imported, inputs, outputs, **self._fields())
        return module
