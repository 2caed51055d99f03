"""Tables of suite keys, protocols, stock suites and components."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import harness
from harness import hookspecs
from harness.base import REQUIRED, Component, schemas
from harness.discovery import sources
from harness.discovery.descriptions import Description, facts_of
from harness.discovery.registry import Registry
from harness.fields import says
from harness.kinds import KINDS
from harness.suite import json_schema
from tests.docs.markdown import code, first, paragraph, table

ROOT = Path(__file__).resolve().parent.parent.parent
UNNAMED = sources.Source("", "", None, "stock")
"""The plugin of every component: which one it is stands in no table."""
Json = Any

LIST = "a list of: "


@cache
def descriptions() -> Mapping[tuple[str, str], Description]:
    """The component table of the stock components, as the command has it."""
    registry = Registry(sources.stock())
    found: dict[tuple[str, str], Description] = {}
    for kind in KINDS:
        for name in registry.names(kind):
            entry: Any = registry.describe(registry.get(kind, name), UNNAMED)
            found[kind, name] = entry
    return found


@cache
def schema() -> Json:
    """The JSON Schema of suites."""
    return json_schema(descriptions())


def suite_keys() -> str:
    """Every key of a suite: what it holds, what it accepts."""
    known, needed = schema()["properties"], schema()["required"]
    order = ["suite", "question", *needed, *(key for key in known if key not in (*needed, "suite", "question"))]
    rows = [(code(key) + (" (required)" if key in needed else ""), known[key]["description"], accepted(known[key]))
            for key in order]  # fmt: skip
    return table(("key", "holds", "accepts"), rows)


def accepted(about: Json) -> str:
    """What a fragment of the schema accepts, in words; what only keeps suites finite is left out."""
    if "anyOf" in about and "type" not in about:
        ways = dict.fromkeys(accepted(branch) for branch in about["anyOf"] if branch != {"type": "null"})
        plain = [way for way in ways if way.removeprefix(LIST) not in ways or not way.startswith(LIST)]
        return ", ".join(plain) + (" or a list of these" if len(plain) < len(ways) else "")
    if "$ref" in about:
        return f"a {about['$ref'].rsplit('/', 1)[1].removesuffix('.point')}"
    if "const" in about or "enum" in about:
        return ", ".join(code(value) for value in about.get("enum", [about.get("const")]))
    types = about.get("type")
    if types == "array":
        return LIST + accepted(about["items"])
    if types == "object":
        return _mapping(about)
    if isinstance(types, list):
        return " or ".join(accepted({"type": each}) for each in types if each != "null")
    return says({key: value for key, value in about.items() if key != "maximum"})  # type: ignore[arg-type]


def _mapping(about: Json) -> str:
    keys = about.get("properties")
    if keys:
        return f"a mapping with {', '.join(map(code, keys))}"
    value = about.get("additionalProperties")
    return f"a mapping to: {accepted(value)}" if isinstance(value, dict) else "a mapping"


def settings(protocol: str) -> str:
    """The settings of a protocol."""
    fields = descriptions()["protocol", protocol]["fields"]
    rows = [(code(name), says(about["schema"]), code(_default(about.get("default", REQUIRED))))
            for name, about in fields.items()]  # fmt: skip
    return table(("setting", "accepts", "default"), rows)


def axes(protocol: str) -> str:
    """The kinds that a suite of a protocol may vary."""
    facts = descriptions()["protocol", protocol]["facts"]
    required, compared = facts["required_kinds"], facts["compared_kinds"]
    rows = []
    for kind in dict.fromkeys([*required, *compared, *facts["optional_kinds"]]):
        default = required.get(kind)
        value = "optional" if kind not in required else code(default["name"]) if default else "required"
        rows.append((code(kind), value, "contenders" if kind in compared else "problems"))
    return table(("kind", "default", "its components are"), rows)


def metric_inputs(protocol: str) -> str:
    """What a protocol offers to metrics."""
    return ", ".join(map(code, descriptions()["protocol", protocol]["facts"]["metric_inputs"])) + "."


def protocols() -> str:
    """Every protocol in a line."""
    return _components("protocol", ("protocol", "what it does"))


def asked(question: object) -> str:
    """A question as one text."""
    parts = question if isinstance(question, list) else [question]
    return " ".join(part["ask"] if isinstance(part, dict) else str(part) for part in parts)


def suites() -> str:
    """Every stock suite with its question, and the time that its first line gives it."""
    rows = []
    for file in sorted((ROOT / "suites").glob("*.yaml")):
        text = file.read_text()
        said, time = yaml.safe_load(text), re.match(r"# bench suites/\S+ \((.*?)\)", text)
        rows.append(
            (
                f"[{file.stem}](../suites/{file.name})",
                said["protocol"],
                asked(said["question"]),
                time[1] if time else "",
            )
        )
    return table(("suite", "protocol", "question", "time"), rows)


# components


def components(kind: str) -> str:
    """The components of a kind with their parameters."""
    rows = []
    for (of, name), about in descriptions().items():
        if of == kind:
            fields = [_field(field, info.get("default", REQUIRED)) for field, info in about["fields"].items()]
            rows.append((code(name), about["doc"].rstrip("."), ", ".join(fields)))
    return table((kind, "what it is", "parameters and defaults"), rows)


def metrics() -> str:
    """Every metric with its direction, unit and parameters."""
    rows = []
    for (kind, name), about in descriptions().items():
        if kind == "metric":
            facts = facts_of(about, {"name": name})
            arrow = {True: "↑", False: "↓", None: ""}[facts["higher_is_better"]]
            fields = [_field(field, info.get("default", REQUIRED)) for field, info in about["fields"].items()]
            rows.append((code(name), arrow, facts["unit"] or "", about["doc"].rstrip("."), ", ".join(fields)))
    return table(("metric", "", "unit", "what it is", "parameters and defaults"), rows)


def metric_details() -> str:
    """Every metric with the whole of its docstring: what it measures, of what, and its bias."""
    registry = Registry(sources.stock())
    found = []
    for (kind, name), about in descriptions().items():
        if kind == "metric":
            arrow = {True: " ↑", False: " ↓", None: ""}[facts_of(about, {"name": name})["higher_is_better"]]
            found.append(f"## {name}{arrow}\n\n{paragraph(registry.get(kind, name).__doc__)}")
    return "\n\n".join(found)


def _components(kind: str, head: Sequence[str]) -> str:
    return table(head, [(code(name), about["doc"]) for (of, name), about in descriptions().items() if of == kind])


def _field(name: str, default: Json) -> str:
    return code(name) if default is REQUIRED else code(f"{name}: {_default(default)}")


def _default(value: Json) -> str:
    """A default as a suite writes it."""
    if value is REQUIRED:
        return ""
    if isinstance(value, Mapping) and "name" in value:
        return str(value["name"])
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_default, value))}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value) or '""'


def kinds() -> str:
    """Every kind: its class, what it is, the methods that must be defined."""
    rows = []
    for kind, cls in KINDS.items():
        methods = sorted(cls.__abstractmethods__)
        rows.append((code(kind), code(cls.__name__), first(cls.__doc__), ", ".join(map(code, methods))))
    return table(("kind", "class", "what it is", "must define"), rows)


def checks() -> str:
    """The conformance checks of every kind."""
    rows = []
    for kind in KINDS:
        name = f"harness.conformance.{kind}"
        if importlib.util.find_spec(name):
            found = importlib.import_module(name).CHECKS
            rows += [(kind if place == 0 else "", code(check.__name__), first(check.__doc__))
                     for place, check in enumerate(found)]  # fmt: skip
    return table(("kind", "check", "what it requires"), rows)


def field_types() -> str:
    """The types that a field may have beyond plain ones."""
    names = (
        "Positive",
        "NonNegative",
        "UnitInterval",
        "PositiveInt",
        "FilePath",
        "PathOrId",
        "ImportPath",
        "CommandLine",
    )

    class Some(Component):
        """One field of each."""

        __annotations__ = {name: getattr(harness, name) for name in names}

    return table(("type", "accepts"), [(code(name), says(schemas(Some)[name])) for name in names])


def hooks() -> str:
    """The hooks that a plugin may implement."""
    marked = [(name, value) for name, value in vars(hookspecs).items() if hasattr(value, "bench_spec")]
    rows = [(code(f"{name}({', '.join(inspect.signature(value).parameters)})"), first(value.__doc__))
            for name, value in marked]  # fmt: skip
    return table(("hook", "what it is"), rows)


def loss_inputs() -> str:
    """The inputs that a loss may ask for."""
    return ", ".join(map(code, harness.LOSS_INPUTS)) + "."
