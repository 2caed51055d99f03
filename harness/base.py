"""A component: one method with its parameters, frozen, rebuilt anywhere from its kind, name and fields."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import re
from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, dataclass_transform, get_type_hints

from harness.dynamic import Dynamic
from harness.errors import BenchError, near_miss
from harness.fields import Named, Schema, convert, schema_of

REQUIRED = inspect.Parameter.empty
"""The default of a field that has none."""

Spec = dict[str, Any]
"""A component as data: `{"name": "exact", "margin": 1.0}`; nested components are specs, defaults are left out."""


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Component(ABC):  # noqa: B024 - the kinds have the abstract methods
    """Base of every kind. A subclass is a frozen keyword-only dataclass; its annotated attributes are its fields.

    Values are converted to the declared type on construction; a value that does not fit raises BenchError.
    """

    kind: ClassVar[str] = ""
    dynamic: ClassVar[bool] = False
    late: ClassVar[Sequence[str]] = ()
    """Fields that what is made of a component beforehand does not depend on: those that differ in them share it."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        documented = bool(cls.__doc__)
        dataclasses.dataclass(frozen=True, kw_only=True, repr=False)(cls)
        if not documented:  # dataclass writes one of its own, which would hide that the author did not
            cls.__doc__ = None

    def __post_init__(self) -> None:
        for name, schema in schemas(type(self)).items():
            value = getattr(self, name)
            if isinstance(value, Dynamic) and not self.dynamic:
                raise BenchError(
                    f"{name_of(type(self))}.{name}: only losses and transforms can learn or schedule a field"
                )
            try:
                object.__setattr__(self, name, convert(schema, value))
            except BenchError as error:
                raise BenchError(f"{name_of(type(self))}.{name}: {error.what}") from None

    def __repr__(self) -> str:
        return label(self.spec())

    @classmethod
    def is_made(cls) -> bool:
        """Whether something has to be made of it before any cell starts, which is kept for all of them."""
        return False

    def spec(self) -> Spec:
        """This component as data: its name and the fields that differ from their defaults."""
        spec: Spec = {"name": name_of(type(self))}
        for name in schemas(type(self)):
            value = getattr(self, name)
            if not _same(value, default_of(type(self), name)):
                spec[name] = data_of(value)
        return spec


def _same(value: Any, default: Any) -> bool:
    if isinstance(default, Named) and isinstance(value, Component):
        return value.spec() == {"name": default.name}
    return type(value) is type(default) and bool(value == default)


def data_of(value: Any) -> Any:
    """A field's value in the form that JSON and suites write."""
    if isinstance(value, Component):
        return value.spec()
    if isinstance(value, Named):
        return {"name": value.name}
    if isinstance(value, Dynamic):
        return value.data()
    if isinstance(value, (tuple, list)):
        return [data_of(v) for v in value]
    return value


@functools.cache
def schemas(cls: type[Component]) -> dict[str, Schema]:
    """Field name -> JSON Schema fragment, in the order of declaration."""
    hints = get_type_hints(cls, include_extras=True)
    fields: tuple[dataclasses.Field[Any], ...] = dataclasses.fields(cls)  # type: ignore[arg-type]
    return {field.name: schema_of(hints[field.name]) for field in fields}


def default_of(cls: type[Component], field: str) -> Any:
    """A field's default in the field's own type; `REQUIRED` where it has none."""
    default = inspect.signature(cls).parameters[field].default
    return default if default is REQUIRED or isinstance(default, Named) else convert(schemas(cls)[field], default)


def name_of(cls: type) -> str:
    """The snake-case name of a component class.

    >>> name_of(type("CrossEntropy", (), {})), name_of(type("NLL", (), {})), name_of(type("Poly1", (), {}))
    ('cross_entropy', 'nll', 'poly1')
    """
    own = cls.__dict__.get("import_path")  # a component named by an import path is called after it
    return own or re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()


def same_name(name: str) -> str:
    """The canonical spelling of a name a user wrote: `-` and `_` are alike."""
    return name if ":" in name else name.strip().replace("-", "_")


def label(spec: Mapping[str, Any]) -> str:
    """The short text that stands for a spec in tables.

    >>> label({"name": "nll", "transform": {"name": "gaussian", "scale": 2.0}})
    'nll(transform=gaussian(scale=2.0))'
    >>> label({"name": "exact", "temperature": {"geometric": [10.0, 0.01]}})
    'exact(temperature=geometric(10.0, 0.01))'
    """
    fields = ", ".join(f"{k}={_text(v)}" for k, v in spec.items() if k != "name")
    return f"{spec['name']}({fields})" if fields else str(spec["name"])


def _text(value: Any) -> str:
    if isinstance(value, Mapping) and "name" in value:
        return label(value)
    if isinstance(value, Mapping) and len(value) == 1:
        word, inner = next(iter(value.items()))
        return f"{word}({', '.join(_text(v) for v in inner) if isinstance(inner, list) else _text(inner)})"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_text(v) for v in value)}]"
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def dynamic_fields(
    component: Component, prefix: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Dynamic, Schema]]:
    """Every learned or scheduled value inside a component, nested ones too: (path, value, schema of the field)."""
    for name, schema in schemas(type(component)).items():
        value = getattr(component, name)
        if isinstance(value, Dynamic):
            yield (*prefix, name), value, schema
        elif isinstance(value, Component):
            yield from dynamic_fields(value, (*prefix, name))


def with_values(component: Component, values: Mapping[tuple[str, ...], Any]) -> Any:
    """A copy whose fields at the given paths hold the given numbers or tensors, unchecked: this step's values."""
    changed = copy.copy(component)
    for path, value in values.items():
        head, rest = path[0], path[1:]
        inner = with_values(getattr(changed, head), {rest: value}) if rest else value
        object.__setattr__(changed, head, inner)
    return changed


def unknown_field(name: str, field: str, known: Mapping[str, Any]) -> str:
    """The message for a field that a component does not have."""
    return f"{name} has no field {field!r}" + (near_miss(field, known) if known else ": it has no fields")
