"""The plugin system: sources are imported, their one hook is called, their classes are checked and built.

A registry is created where it is needed (a cell's process, a script); importing a plugin changes nothing by itself.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

from harness import hookspecs
from harness.base import (
    REQUIRED,
    Component,
    attribute,
    data_of,
    declared_schemas,
    default_of,
    is_derived,
    name_of,
    same_name,
    schemas,
    unknown_field,
)
from harness.discovery import declarations, loading, references, registration, sources
from harness.discovery.sources import Source
from harness.dynamic import DYNAMIC, dynamic
from harness.errors import BenchError, near_miss
from harness.fields import Json, Named, Schema, kind_in
from harness.inputs import call_with_inputs, required
from harness.kinds import KINDS

if TYPE_CHECKING:
    from harness.diffusion.model import DiffusionModel
    from harness.discovery.descriptions import FieldInfo


class Registry:
    """The components of some plugins, by kind and name."""

    def __init__(self, plugins: Iterable[Source] = ()) -> None:
        self.manager = pluggy.PluginManager(hookspecs.PROJECT)
        self.manager.add_hookspecs(hookspecs)
        self._classes: dict[tuple[str, str], tuple[type[Component], Source]] = {}
        for source in plugins:
            self.add(source)

    def add(self, source: Source) -> list[type[Component]]:
        """Import a plugin, register it and check its components. Raises BenchError, one line, with file:line."""
        if source.origin == "imported":
            kind, _, path = source.name.partition(" ")
            return [self.get(kind, path)]
        module = loading.load(source)
        registration.check_hooks(module, source.file)
        self.manager.register(module, name=source.name)
        brought = registration.answers(self.manager, module, source.file)
        known = dict(self._classes)
        for cls in brought:
            declarations.check_class(cls)
            key = (cls.kind, name_of(cls))
            if key in known:
                raise _clash(cls, *known[key])
            known[key] = (cls, source)
        self._classes = known
        return brought

    def names(self, kind: str) -> list[str]:
        """Return the names known for a kind, sorted."""
        return sorted(name for k, name in self._classes if k == kind)

    def get(self, kind: str, name: str) -> type[Component]:
        """Return the class of a name, with `-` and `_` equivalent. Raises BenchError with the near miss."""
        name = same_name(name.removeprefix(f"{kind}:"))
        if kind not in KINDS:
            raise BenchError(f"no kind {kind!r}{near_miss(kind, KINDS)}")
        if ":" in name and (kind, name) not in self._classes:
            self._classes[kind, name] = imported(kind, name), Source(f"{kind} {name}", "", None, "imported")
        if (kind, name) not in self._classes:
            raise BenchError(f"no {kind} {name!r}{near_miss(name, self.names(kind))}")
        return self._classes[kind, name][0]

    def build(self, kind: str, spec: str | Mapping[str, object] | Named) -> Any:
        """Build an instance from its spec, including nested components and learned and scheduled fields.

        Raises BenchError for an unknown name or field and for a value that does not fit.
        """
        fields: dict[str, object] = {"name": spec} if isinstance(spec, (str, Named)) else dict(spec)
        own = fields.pop("name")
        cls = self.get(kind, own.name if isinstance(own, Named) else str(own))
        known = schemas(cls)
        values: dict[str, object] = {}
        for name, value in fields.items():
            if name not in known:
                raise BenchError(unknown_field(name_of(cls), name, known))
            values[name] = self._value(known[name], value)
        for name, default in _named_defaults(cls).items():
            if name not in values:
                values[name] = self.build(str(kind_in(known[name])), default)
        missing = [f for f in known if f not in values and default_of(cls, f) is REQUIRED]
        if missing:
            raise BenchError(f"{kind} {name_of(cls)} needs a value for {', '.join(missing)}")
        made = cls(**{attribute(name): value for name, value in values.items()})
        for name, declared in _named_attributes(cls).items():
            object.__setattr__(made, name, self.build(str(kind_in(declared["schema"])), getattr(cls, name)))
        return made

    def _value(self, schema: Schema, value: object) -> object:
        inner = kind_in(schema)
        if inner and isinstance(value, (str, Mapping)):
            return self.build(inner, value)
        if "items" in schema and isinstance(value, (list, tuple)):
            return tuple(self._value(schema["items"], each) for each in value)
        if isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in DYNAMIC:
            with contextlib.suppress(TypeError, ValueError):  # the component reports what it expected
                return dynamic(value)
        return value

    def describe(self, cls: type[Component], source: Source) -> dict[str, object]:
        """Describe a component as JSON data, so that the command need not import it."""
        fields: dict[str, object] = {}
        for name, schema in schemas(cls).items():
            default = default_of(cls, name)
            fields[name] = {"schema": schema, **({} if default is REQUIRED else {"default": data_of(default)})}
        file, _, line = declarations.place(cls).rpartition(":")
        return {
            "kind": cls.kind,
            "name": name_of(cls),
            "fields": fields,
            "declared": _named_attributes(cls),
            "doc": (inspect.getdoc(cls) or "").split("\n")[0],
            "help": inspect.getdoc(cls) or "",
            "file": file,
            "line": int(line),
            "plugin": source.name,
            "reference": references.of_class(cls),
            "dynamic": cls.dynamic,
            "inputs": list(required(cls.__call__)) if "__call__" in dir(cls) else [],
            "facts": {
                **_facts(cls),
                "needs_artifact": cls.needs_artifact(),
                "not_in_artifact": list(cls.not_in_artifact),
            },
        }


def _facts(cls: type[Component]) -> dict[str, Json]:
    """Return the public class attributes that the kind declares: a metric's direction and unit, a protocol's needs.

    An attribute that depends on the fields, such as a property, is left out. A component of any kind may declare that
    it is a control. One that defines `to_fetch` may download.
    """
    hidden = {"kind", "dynamic", "declared_attributes", "may_be_fields"}
    kind = KINDS[cls.kind]
    names = [n for n in (*kind.__annotations__, *kind.declared_attributes) if n not in hidden and n[0] != "_"]
    settled = {name: getattr(cls, name) for name in names if name not in schemas(cls) and not is_derived(cls, name)}
    control = {"is_control": True} if cls.is_control is True else {}
    fetches = {"fetches": True} if getattr(cls, "to_fetch", None) is not getattr(kind, "to_fetch", None) else {}
    return {name: data_of(value) for name, value in settled.items()} | control | fetches


def _clash(cls: type[Component], other: type[Component], owner: Source) -> BenchError:
    return BenchError(
        f"{cls.kind} {name_of(cls)} is already defined at {declarations.place(other)}; "
        f"rename one, or leave one out with -p no:{owner.name}",
        declarations.place(cls),
    )


def _named_defaults(cls: type[Component]) -> dict[str, Named]:
    return {f: d for f in schemas(cls) if isinstance(d := default_of(cls, f), Named)}


def _named_attributes(cls: type[Component]) -> dict[str, FieldInfo]:
    """Return the attributes declared by the kind that hold a component the class gives by name, as JSON data."""
    return {
        name: {"schema": schema, "default": data_of(default)}
        for name, schema in declared_schemas(cls).items()
        if name not in schemas(cls) and isinstance(default := getattr(cls, name), Named)
    }


def imported(kind: str, path: str) -> type[Component]:
    """Return the component behind an import path `module:attribute`: a class of the kind, or a wrapped callable."""
    from harness.discovery import adapters

    return adapters.imported(kind, path)


def installed_components() -> Registry:
    """Return the registry of stock and installed plugins; unusable ones are left out, as in the command."""
    registry = Registry(sources.stock())
    for source in sources.installed():
        with contextlib.suppress(BenchError):
            registry.add(source)
    return registry


def component(kind: str, name: str, **fields: object) -> Any:
    """Build a stock or installed component: `component("transform", "gaussian", scale=1.0)`.

    Raises BenchError for an unknown kind, name or field, with the near miss.
    """
    return installed_components().build(kind, {"name": name, **fields})


def components(kind: str) -> dict[str, type[Component]]:
    """Return {name: class} of every stock and installed component of a kind. Raises BenchError for an unknown kind."""
    if kind not in KINDS:
        raise BenchError(f"no kind {kind!r}{near_miss(kind, KINDS)}")
    registry = installed_components()
    return {name: registry.get(kind, name) for name in registry.names(kind)}


def denoiser(name: str, device: str = "cpu", **fields: object) -> DiffusionModel:
    """Load a stock or installed denoiser, training it if needed: `denoiser("gaussian", variance=0.25)`.

    Raises BenchError as `component` does.
    """
    from harness import artifacts
    from harness.diffusion.model import DiffusionModel

    made = component("denoiser", name, **fields)
    weights = artifacts.trained(made, lambda *_, **__: None) if made.needs_artifact() else {}
    return DiffusionModel(made, call_with_inputs(made.load, device, weights=weights), device)
