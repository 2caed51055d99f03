"""Base of all components. A component is a method with its parameters, frozen, identified by kind, name and fields."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import keyword
import re
from abc import ABC
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar, dataclass_transform, get_type_hints

from harness.dynamic import Dynamic
from harness.errors import BenchError, near_miss
from harness.fields import Json, Named, Schema, convert, kind_in, schema_of

REQUIRED = inspect.Parameter.empty
"""Default of a field that has none."""

T = TypeVar("T")
C = TypeVar("C", bound="Component")

Spec = dict[str, Json]
"""A component as data: `{"name": "exact", "margin": 1.0}`; nested components are specs, defaults are omitted."""


class Attributes:
    """Base of the attributes that a kind declares with types and defaults, and that a component may set.

    A component sets one in its class (`shape = (2,)`), makes it a field by annotating it with the type it is declared
    with (`shape: tuple[int, ...] = (2,)`), or derives it from its fields (`derived`). They are declared in a class that
    is no component, so that type checkers take them for fields only in a component that makes them fields.
    """


class _Derived(Generic[T]):
    """An attribute whose value is computed from the fields."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute

    def __get__(self, instance: object, owner: type) -> T | _Derived[T]:
        return self if instance is None else self.compute(instance)


def derived(compute: Callable[[Any], T]) -> T:
    """Declare an attribute that is computed from a component's fields: `shape = derived(lambda self: (self.dim,))`."""
    mark: Any = _Derived(compute)
    return mark  # type: ignore[no-any-return]


def is_derived(cls: type, name: str) -> bool:
    """Return whether a class attribute is computed from the fields, so that the class alone has no value of it."""
    return isinstance(inspect.getattr_static(cls, name), (_Derived, property))


_BUILDERS: list[Callable[[str, str], Any]] = []
"""The one function that `build_defaults_with` was given; this module knows no plugins."""


class _NamedDefault:
    """A default that names a component: the name in the class, in an instance the component, built when first used."""

    def __init__(self, attribute: str, default: Named) -> None:
        self.attribute, self.default = attribute, default

    def __get__(self, instance: Component | None, owner: type[Component]) -> Any:
        if instance is None or not _BUILDERS:
            return self.default
        field = _field_name(self.attribute)
        schema = {**declared_schemas(owner), **schemas(owner)}[field]
        made = _BUILDERS[-1](str(kind_in(schema)), self.default.name)
        object.__setattr__(instance, self.attribute, made)
        return made


def build_defaults_with(builder: Callable[[str, str], Any]) -> None:
    """Set the function of kind and name that builds what the defaults of components name."""
    _BUILDERS[:] = [builder]


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Component(ABC):  # noqa: B024 - the kinds have the abstract methods
    """Base of every kind. A subclass is a frozen keyword-only dataclass; its annotated attributes are its fields.

    Values are converted to the declared type on construction; a value that does not fit raises BenchError.
    """

    kind: ClassVar[str] = ""
    dynamic: ClassVar[bool] = False
    not_in_artifact: ClassVar[Sequence[str]] = ()
    """Fields that do not affect the component's artifact: components that differ only in them share it."""
    is_control: ClassVar[bool] = False
    """Whether it is no method but a yardstick: its rows stand beside the contenders, untested and unranked."""
    may_be_fields: ClassVar[Sequence[str]] = ()
    """Class attributes of the kind that a component may make fields by annotating them with their type."""
    declared_attributes: ClassVar[Mapping[str, object]] = {}
    """Attributes that a kind declares and a component may set, name -> annotation; not fields by themselves."""

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        documented = bool(cls.__doc__)
        _settle_declarations(cls)
        dataclasses.dataclass(frozen=True, kw_only=True, repr=False)(cls)
        _settle_named(cls)
        if not documented:  # dataclass writes one of its own, which would hide that the author did not
            cls.__doc__ = None

    def __post_init__(self) -> None:
        for name, schema in schemas(type(self)).items():
            value = vars(self)[attribute(name)]
            if isinstance(value, Named):
                del vars(self)[attribute(name)]
                continue
            if isinstance(value, Dynamic) and not self.dynamic:
                raise BenchError(
                    f"{name_of(type(self))}.{name}: only losses and transforms can learn or schedule a field"
                )
            try:
                object.__setattr__(self, attribute(name), convert(schema, value))
            except BenchError as error:
                raise BenchError(f"{name_of(type(self))}.{name}: {error.what}") from None

    def __repr__(self) -> str:
        return label({"name": name_of(type(self)), **self._settled()})

    @classmethod
    def needs_artifact(cls) -> bool:
        """Return whether the component has an artifact, made once before any cell starts."""
        return False

    def spec(self) -> Spec:
        """Return this component as data: its name and the fields that differ from their defaults."""
        return {"name": name_of(type(self)), **{name: data_of(value) for name, value in self._settled().items()}}

    def _settled(self) -> dict[str, object]:
        """Return the fields that differ from their defaults."""
        values = {name: vars(self).get(attribute(name), default_of(type(self), name)) for name in schemas(type(self))}
        return {name: value for name, value in values.items() if not _same(value, default_of(type(self), name))}


def _settle_declarations(cls: type[Component]) -> None:
    """Record the attributes that a kind declares; a field of the same name does not inherit the declared default."""
    declaring = [base for base in cls.__bases__ if issubclass(base, Attributes) and not issubclass(base, Component)]
    for base in declaring:
        cls.declared_attributes = {**cls.declared_attributes, **inspect.get_annotations(base)}
    for name in inspect.get_annotations(cls):
        if name in cls.declared_attributes and name not in vars(cls):
            setattr(cls, name, dataclasses.field())


def _settle_named(cls: type[Component]) -> None:
    """Replaces defaults that are names, of fields and of declared attributes, by what builds them."""
    fields = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    for name in (*fields, *cls.declared_attributes):
        if isinstance(default := inspect.getattr_static(cls, name, None), Named):
            setattr(cls, name, _NamedDefault(name, default))


def _same(value: object, default: object) -> bool:
    if isinstance(default, Named) and isinstance(value, Component):
        return name_of(type(value)) == default.name and not value._settled()
    return type(value) is type(default) and bool(value == default)


def data_of(value: object) -> Json:
    """Convert a field's value to JSON data. Raises TypeError for a value without a JSON form."""
    if isinstance(value, Component):
        return value.spec()
    if isinstance(value, Named):
        return {"name": value.name}
    if isinstance(value, Dynamic):
        return value.data()
    if isinstance(value, (tuple, list)):
        return [data_of(v) for v in value]
    if isinstance(value, Mapping):
        return {str(key): data_of(v) for key, v in value.items()}
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise TypeError(f"{value!r} is nothing that JSON could hold")


@functools.cache
def schemas(cls: type[Component]) -> dict[str, Schema]:
    """Return field name -> JSON Schema fragment, in the order of declaration.

    A field named like a Python keyword is an attribute with a trailing underscore: `pass_` is `pass` in a suite.
    """
    hints = get_type_hints(cls, include_extras=True)
    fields: tuple[dataclasses.Field[object], ...] = dataclasses.fields(cls)  # type: ignore[arg-type]
    return {_field_name(field.name): schema_of(hints[field.name]) for field in fields}


@functools.cache
def declared_schemas(cls: type[Component]) -> dict[str, Schema]:
    """Return the name of each attribute declared by the kind -> JSON Schema fragment."""
    declaring = [base for base in cls.__mro__ if issubclass(base, Attributes) and not issubclass(base, Component)]
    hints = {name: hint for base in declaring for name, hint in get_type_hints(base, include_extras=True).items()}
    return {name: schema_of(hint) for name, hint in hints.items()}


def attribute(field: str) -> str:
    """Return the attribute that holds a field: `pass_` for a Python keyword, else the field's own name."""
    return f"{field}_" if keyword.iskeyword(field) else field


def _field_name(attribute: str) -> str:
    return attribute[:-1] if attribute.endswith("_") and keyword.iskeyword(attribute[:-1]) else attribute


def default_of(cls: type[Component], field: str) -> object:
    """Return a field's default in the field's own type; `REQUIRED` if it has none."""
    default = inspect.signature(cls).parameters[attribute(field)].default
    return default if default is REQUIRED or isinstance(default, Named) else convert(schemas(cls)[field], default)


def name_of(cls: type) -> str:
    """Return the snake-case name of a component class.

    >>> name_of(type("CrossEntropy", (), {})), name_of(type("NLL", (), {})), name_of(type("Poly1", (), {}))
    ('cross_entropy', 'nll', 'poly1')
    """
    own = cls.__dict__.get("import_path")  # a component named by an import path is called after it
    return own or snake_case(cls.__name__)


def snake_case(name: str) -> str:
    """Return the snake-case form of the name of a class."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def same_name(name: str) -> str:
    """Return the canonical spelling of a name: `-` and `_` are equivalent."""
    return name if ":" in name else name.strip().replace("-", "_")


def component_name(spec: Mapping[str, Json]) -> str:
    """Return the name of the component that a spec describes."""
    return str(spec["name"])


def label(spec: Mapping[str, object]) -> str:
    """Return the short text that represents a spec in tables.

    >>> label({"name": "nll", "transform": {"name": "gaussian", "scale": 2.0}})
    'nll(transform=gaussian(scale=2.0))'
    >>> label({"name": "exact", "temperature": {"geometric": [10.0, 0.01]}})
    'exact(temperature=geometric(10.0, 0.01))'
    """
    fields = ", ".join(f"{k}={_text(v)}" for k, v in spec.items() if k != "name")
    return f"{spec['name']}({fields})" if fields else str(spec["name"])


def _text(value: object) -> str:
    if isinstance(value, (Component, Named)):
        return repr(value) if isinstance(value, Component) else value.name
    if isinstance(value, Dynamic):
        return _text(value.data())
    if isinstance(value, Mapping) and "name" in value:
        return label(value)
    if isinstance(value, Mapping) and len(value) == 1:
        word, inner = next(iter(value.items()))
        if isinstance(inner, Mapping):
            return label({**inner, "name": word})
        return f"{word}({', '.join(_text(v) for v in inner) if isinstance(inner, list) else _text(inner)})"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_text(v) for v in value)}]"
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def dynamic_fields(
    component: Component, prefix: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Dynamic, Schema]]:
    """Yield every learned or scheduled value in a component, also in nested ones: (path, value, field's schema)."""
    for name, schema in schemas(type(component)).items():
        value = getattr(component, attribute(name))
        if isinstance(value, Dynamic):
            yield (*prefix, name), value, schema
        elif isinstance(value, Component):
            yield from dynamic_fields(value, (*prefix, name))


def replace_fields(component: C, values: Mapping[tuple[str, ...], object]) -> C:
    """Return a copy whose fields at the given paths hold the given numbers or tensors of this step, without checks."""
    changed = copy.copy(component)
    for path, value in values.items():
        head, rest = path[0], path[1:]
        inner = replace_fields(getattr(changed, head), {rest: value}) if rest else value
        object.__setattr__(changed, head, inner)
    return changed


def unknown_field(name: str, field: str, known: Collection[str]) -> str:
    """Return the message for a field that a component does not have."""
    return f"{name} has no field {field!r}{near_miss(field, known) if known else ': it has no fields'}"
