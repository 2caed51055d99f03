"""Contract of a kind as text: its purpose, attributes and methods, the values they exchange, a short example."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness.base import Component
from harness.cli.components import listing
from harness.discovery.sources import HARNESS
from harness.fields import Named
from harness.kinds import KINDS, LOSS_INPUTS

if TYPE_CHECKING:
    from harness.discovery.catalogue import Catalogue

INTERNAL = ("kind", "dynamic", "declared_attributes", "not_in_artifact")
"""Attributes that an author does not set."""
KIND_CLASSES = frozenset(cls.__name__ for cls in KINDS.values())
EXCHANGED_FROM: Mapping[str, Sequence[str]] = MappingProxyType(
    {"harness.kinds.diffusion": ("harness.diffusion.model",)}
)
"""Module of a kind -> further modules with classes that its methods receive."""
REGISTER = "A plugin registers its classes with a hook at the end of its module:"
HOOK = "@hookimpl\ndef components():\n    return [Mine]"
FIELDS = """Annotated attributes of a class are its fields, which suites set:

  scale: Positive = 1.0                            also NonNegative, UnitInterval, PositiveInt, float, int, bool, str
  mode: Literal["mean", "sum"] = "mean"            one of some words
  limit: float | None = None                       null in a suite
  sizes: tuple[int, ...] = (64, 64)                a list
  file: FilePath                                   a path, relative to the suite; required, since it has no default
  transform: Transform = named("softmax")          another component, its default by name

`reference = "@article{key, title = {...}, ...}"`, without an annotation, is BibTeX for `bench cite`, and no field.

All these names are imported from `harness`, `Literal` from `typing`."""
TRY = "Try it: `bench check mine.py`, then `bench SUITE.yaml --plugin mine.py`."


def contract(catalogue: Catalogue, kind: str) -> str:
    """Return everything an author needs to write a component of a kind, then the list of existing components."""
    cls = KINDS[kind]
    parts = [f"{kind}: from harness import {cls.__name__}, hookimpl", _doc(cls), FIELDS]
    parts += _section("Attributes", _attributes(cls))
    parts += _section("Methods", _methods(cls))
    parts += _section("Exchanged", _exchanged(cls))
    parts += _section("Inputs by name", _inputs(catalogue, kind))
    parts += [REGISTER, textwrap.indent(HOOK, "  "), TRY]
    example = HARNESS / "examples" / f"{kind}.py"
    parts += [f"Example ({example.name})", textwrap.indent(example.read_text().strip(), "  ")]
    return "\n\n".join([*parts, "Components", textwrap.indent(listing(catalogue, kind), "  ")])


def _section(title: str, entries: Iterator[str]) -> list[str]:
    text = "\n".join(entries)
    return [title, textwrap.indent(text, "  ")] if text else []


def _doc(what: object) -> str:
    return inspect.getdoc(what) or ""


def _attributes(cls: type[Component]) -> Iterator[str]:
    own = {**inspect.get_annotations(cls), **cls.declared_attributes}
    for name, annotation in own.items():
        if name not in INTERNAL and not name.startswith("_"):
            shown = re.sub(r"^ClassVar\[(.*)\]$", r"\1", str(annotation))
            default = getattr(cls, name)
            value = f'named("{default.name}")' if isinstance(default, Named) else repr(default)
            yield f"{name}: {shown} = {value}"


def _methods(cls: type[Component]) -> Iterator[str]:
    """Yield the methods, abstract ones first."""
    names = [name for name, value in vars(cls).items() if inspect.isfunction(value) and _is_public(name)]
    for name in sorted(names, key=lambda name: name not in cls.__abstractmethods__):
        must = "" if name in cls.__abstractmethods__ else "  (optional)"
        signature = str(inspect.signature(getattr(cls, name))).replace("'", "")
        yield f"def {name}{signature}{must}"
        yield textwrap.indent(_doc(getattr(cls, name)), "    ")


def _is_public(name: str) -> bool:
    return name == "__call__" or not name.startswith("_")


def _exchanged(cls: type[Component]) -> Iterator[str]:
    """The classes that the kind's methods name, and those that these name: read as text, since some need torch."""
    text = " ".join(str(inspect.signature(value)) for value in vars(cls).values() if inspect.isfunction(value))
    known: dict[str, ast.ClassDef] = {}
    for module in (cls.__module__, *EXCHANGED_FROM.get(cls.__module__, ())):
        tree = ast.parse(Path(HARNESS, *module.split(".")[1:]).with_suffix(".py").read_bytes())
        known |= {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    shown: list[str] = []
    waiting = re.findall(r"\w+", text)
    while waiting:
        name = waiting.pop(0)
        if name in known and name not in KIND_CLASSES and name not in shown:
            shown.append(name)
            waiting += re.findall(r"\w+", "\n".join(_members(known[name])))
    for name in shown:
        yield f"class {name}: {ast.get_docstring(known[name]) or ''}"
        yield textwrap.indent("\n".join(_members(known[name])), "    ") + "\n"


def _inputs(catalogue: Catalogue, kind: str) -> Iterator[str]:
    """The names that arguments of a loss or metric may have."""
    if kind == "loss":
        yield from (f"{name}: {meaning}" for name, meaning in LOSS_INPUTS.items())
    if kind == "metric":
        for (other, name), entry in sorted(catalogue.table.items()):
            if other == "protocol":
                yield f"{name}: {', '.join(entry['facts']['metric_inputs'])}"


def _members(node: ast.ClassDef) -> Iterator[str]:
    for item in node.body:
        if isinstance(item, ast.AnnAssign):
            yield ast.unparse(item)
        elif isinstance(item, ast.FunctionDef) and not item.name.startswith("_"):
            returns = f" -> {ast.unparse(item.returns)}" if item.returns else ""
            first = (ast.get_docstring(item) or "").split("\n")[0]
            yield f"def {item.name}({ast.unparse(item.args)}){returns}  # {first}"
