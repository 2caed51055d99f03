"""The shape of the code: floors, doors and sizes."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOUNS = (
    "errors",
    "fields",
    "dynamic",
    "base",
    "kinds",
    "exchange",
    "ruling",
    "inputs",
    "hookspecs",
    "streams",
    "ready",
)
FLOORS = {
    **dict.fromkeys((*NOUNS, "neighbours"), 0),
    **dict.fromkeys(("discovery", "suite", "statistics", "artifacts", "machine"), 1),
    **dict.fromkeys(("protocols", "certificates"), 2),
    **dict.fromkeys(("planning", "engines", "analysis"), 3),
    "report": 4,
    "running": 5,
    **dict.fromkeys(("history", "figures"), 6),
    **dict.fromkeys(("cli", "pytest_plugin", "__main__"), 7),
}
DOOR = "__init__"
HARNESS = sorted((ROOT / "harness").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
LIGHT = (
    *(noun for noun in NOUNS if noun not in ("streams", "ready", "ruling")),
    *("discovery/__init__", "discovery/sources", "discovery/digests", "discovery/catalogue"),
    *("suite", "cli/__init__", "cli/main", "cli/options", "cli/option_types"),
)
"""What is imported before it is known what the command is asked."""


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def unit(file: Path) -> str:
    """The module or package directly under `harness`."""
    return file.relative_to(ROOT / "harness").with_suffix("").parts[0]


def light(file: Path) -> bool:
    """Whether a module, or the package it is in, is among LIGHT."""
    path = file.relative_to(ROOT / "harness").with_suffix("")
    return unit(file) in (*LIGHT, DOOR) or path.as_posix() in LIGHT


def imports(file: Path, *, top: bool = False) -> Iterator[str]:
    """The modules a file imports; `top` leaves out imports inside functions."""
    tree = ast.parse(file.read_bytes())
    for node in tree.body if top else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("file", HARNESS, ids=name)
def test_a_module_imports_its_own_floor_or_lower_ones(file: Path) -> None:
    if unit(file) == DOOR:
        return
    for module in imports(file):
        parts = module.split(".")
        if parts[0] == "harness" and len(parts) > 1 and parts[1] in FLOORS:
            assert FLOORS[parts[1]] <= FLOORS[unit(file)], f"{name(file)} imports {module} from a higher floor"


def test_every_module_has_a_floor() -> None:
    assert {unit(file) for file in HARNESS} - {DOOR} == set(FLOORS)


@pytest.mark.parametrize("file", HARNESS, ids=name)
def test_the_harness_knows_no_method(file: Path) -> None:
    assert not [m for m in imports(file) if m.split(".")[0] == "plugins" or m.startswith("harness.stock")]


@pytest.mark.parametrize("file", PLUGINS, ids=name)
def test_plugins_use_the_door_and_their_own_folder(file: Path) -> None:
    own = f"harness.stock.{file.parent.name}."
    for module in imports(file):
        inner = module.split(".")
        if inner[0] == "harness":
            assert len(inner) == 2 or module.startswith(own), f"{name(file)} imports {module}"


@pytest.mark.parametrize("file", [f for f in HARNESS if light(f)], ids=name)
def test_the_commands_own_modules_import_nothing_heavy(file: Path) -> None:
    heavy = {"torch", "numpy", "scipy", "sklearn", "pandas", "rich"}
    typing_only = {m.split(".")[0] for m in imports(file, top=True)}
    assert not typing_only & heavy


@pytest.mark.parametrize("file", [*HARNESS, *PLUGINS], ids=name)
def test_files_and_functions_stay_short(file: Path) -> None:
    text = file.read_text()
    assert text.count("\n") <= 200, f"{name(file)} is long"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert lines <= 40, f"{name(file)}:{node.lineno} {node.name} has {lines} lines"


@pytest.mark.parametrize("file", [*HARNESS, *PLUGINS], ids=name)
def test_public_things_are_documented(file: Path) -> None:
    tree = ast.parse(file.read_bytes())
    assert ast.get_docstring(tree), f"{name(file)} has no docstring"
    public = [n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef) and not n.name.startswith("_")]
    for node in public:
        hook = isinstance(node, ast.FunctionDef) and node.name == "components"
        assert hook or ast.get_docstring(node), f"{name(file)}:{node.lineno} {node.name} has no docstring"


def test_folders_are_at_most_three_deep() -> None:
    for file in [*HARNESS, *PLUGINS]:
        assert len(file.relative_to(ROOT).parts) <= 4, name(file)


def test_the_wheel_has_every_folder() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    folders = {file.parent.relative_to(ROOT).as_posix().replace("/", ".") for file in [*HARNESS, *PLUGINS]}
    assert listed == {folder.replace("plugins", "harness.stock", 1) for folder in folders} | {"harness.stock"}
