"""Tables of the command, of results, of the public functions, and of the architecture."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import enum
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import harness
from harness import results
from harness.cli.main import COMMANDS
from harness.cli.options import parser
from harness.report import formats
from tests.docs.markdown import code, first, paragraph, table

ROOT = Path(__file__).resolve().parent.parent.parent

# the command


def commands() -> str:
    """Every command in a line."""
    (action,) = [a for a in parser(COMMANDS)._actions if isinstance(a, argparse._SubParsersAction)]
    rows = []
    for choice in action._choices_actions:
        words = [a.metavar or a.dest for a in action.choices[choice.dest]._actions if not a.option_strings]
        shown = " ".join(
            ["bench", choice.dest, *(f"[{word}]" if choice.dest == "list" else str(word) for word in words)]
        )
        rows.append((code(shown.replace("'", "")), choice.help or ""))
    return table(("command", "what it does"), rows)


def options(*names: str) -> str:
    """The options of a command, or of several that share them."""
    (action,) = [a for a in parser(COMMANDS)._actions if isinstance(a, argparse._SubParsersAction)]
    own: dict[str, tuple[str, str, str]] = {}
    for name in names:
        for option in action.choices[name]._actions:
            if option.option_strings and "--help" not in option.option_strings:
                own[option.dest] = _option(option)
    return table(("option", "default", "meaning"), own.values())


def _option(option: argparse.Action) -> tuple[str, str, str]:
    choices = f"{{{','.join(map(str, option.choices))}}}" if option.choices else option.metavar
    word = option.option_strings[-1] + (f" {choices}" if option.nargs != 0 and choices else "")
    default = "" if option.default in (None, False, [], ()) else code(option.default)
    return code(word), default, option.help or ""


def conditions() -> str:
    """The conditions of `--fail-on`."""
    return ", ".join(code(each.value) for each in results.FailOn) + "."


def report_formats() -> str:
    """The formats of `bench report`."""
    return ", ".join(map(code, formats())) + "."


# results


def result(name: str) -> str:
    """The fields of a class of results, without those it inherits."""
    cls = getattr(results, name)
    docs = documented(cls)
    own = [field for field in dataclasses.fields(cls) if field.name in inspect.get_annotations(cls)]
    rows = [(code(field.name), code(_type(str(field.type))), docs.get(field.name, "")) for field in own]
    head = ("key", "type", "what it is") if any(row[2] for row in rows) else ("key", "type")
    return f"**{name}.** {paragraph(cls.__doc__)}\n\n{table(head, [row[: len(head)] for row in rows])}"


def _type(annotation: str) -> str:
    """An annotation with JSON in mind."""
    return annotation.replace("tuple[", "list[").replace(", ...]", "]").replace("Mapping[", "dict[")


def enumeration(name: str) -> str:
    """The values of an enumeration of results, and what each means."""
    cls = getattr(results, name)
    assert issubclass(cls, enum.StrEnum)
    docs = documented(cls)
    rows = [(code(member.value), docs.get(member.name, "")) for member in cls]
    if not any(meaning for _, meaning in rows):
        return f"**{name}.** {first(cls.__doc__)} {', '.join(value for value, _ in rows)}."
    return f"**{name}.** {first(cls.__doc__)}\n\n{table(('value', 'meaning'), rows)}"


def documented(cls: type) -> dict[str, str]:
    """Name of a field or member -> the docstring below it."""
    (body,) = [node.body for node in ast.parse(inspect.getsource(cls)).body if isinstance(node, ast.ClassDef)]
    found: dict[str, str] = {}
    name = ""
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and name:
            found[name] = first(str(node.value.value))
    return found


# Python


def function(name: str) -> str:
    """The signature and the docstring of a public function."""
    found = _public(name)
    signature = inspect.signature(found)
    arguments = list(_arguments(signature))
    text = f"harness.{name}({', '.join(arguments)}) -> {signature.return_annotation}"
    if len(text) > 100:
        text = text.replace(", ".join(arguments), "".join(f"\n    {argument}," for argument in arguments) + "\n")
    return f"```text\n{text}\n```\n\n{paragraph(found.__doc__)}"


def _arguments(signature: inspect.Signature) -> Iterator[str]:
    """Every argument as it is written, and the star before those that are passed by name."""
    named = False
    for each in signature.parameters.values():
        if each.kind is each.KEYWORD_ONLY and not named:
            named = True
            yield "*"
        default = "" if each.default is each.empty else f" = {each.default!r}"
        yield f"{'**' * (each.kind is each.VAR_KEYWORD)}{each.name}: {each.annotation}{default}"


def members(name: str) -> str:
    """The public methods of a class with what they are."""
    cls = getattr(harness, name)
    rows = []
    for method, value in vars(cls).items():
        if inspect.isfunction(value) and (method == "__call__" or not method.startswith("_")):
            arguments = ", ".join(list(inspect.signature(value).parameters)[1:])
            shown = f"({arguments})" if method == "__call__" else f".{method}({arguments})"
            rows.append((code(f"{_variable(name)}{shown}"), paragraph(value.__doc__).replace("\n\n", " ")))
    return table((name, "what it is"), rows)


def _variable(name: str) -> str:
    return {"DiffusionModel": "model", "NoiseSource": "noise"}.get(name, name.lower())


def public() -> str:
    """Every public class and function with the first line of what it is."""
    found = {name: _public(name) for name in harness.__all__}
    rows = [(code(name), first(value.__doc__)) for name, value in found.items()
            if inspect.isclass(value) or inspect.isfunction(value)]  # fmt: skip
    return table(("name", "what it is"), rows)


def _public(name: str) -> Any:
    """A public name; of a package that can be called, the function that it stands for."""
    found = getattr(harness, name)
    return getattr(importlib.import_module("harness.run.pipeline"), name) if inspect.ismodule(found) else found


# the architecture


def floors() -> str:
    """The floors of `harness/`: which modules stand on each, and what they are."""
    shape = importlib.import_module("tests.test_architecture")
    found = sorted({**shape.FLOORS, **shape.ABOVE}.items(), key=lambda pair: (pair[1], pair[0]))
    rows = []
    for name, floor in found:
        path = ROOT.joinpath("harness", *name.split("."))
        shown = f"{name.replace('.', '/')}/" if path.is_dir() else name.replace(".", "/")
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        rows.append((str(floor), code(shown), first(ast.get_docstring(ast.parse(file.read_text())))))
    return table(("floor", "module", "what it is"), rows)
