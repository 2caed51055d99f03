"""`bench new`: files to start from, a plugin of any kind with a suite that compares it, or a suite alone.

A plugin is the kind's example (`harness/examples/`) under a name of its own. Every file works as it is written.
"""

from __future__ import annotations

import ast
import json
import keyword
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.base import same_name, snake_case
from harness.commands.new_suites import SUITES, suite_of
from harness.discovery.catalogue import Catalogue, gather
from harness.discovery.sources import HARNESS
from harness.errors import BenchError, near_miss
from harness.kinds import KINDS
from harness.results.store import write, writing
from harness.run.load import describer, own
from harness.suite import json_schema
from harness.worker.supervisor import Server

SCHEMA = "bench-schema.json"
"""File with the JSON Schema of suites, which editors read."""
HEADER = f"# yaml-language-server: $schema={SCHEMA}\n"
NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
TAKEN = frozenset({*sys.stdlib_module_names, "torch", "numpy", "scipy", "harness", "pytest"})
"""Names of modules, which a file in the same folder would hide."""

WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off"})
"""Names that some readers of YAML take for a value."""


def new_plugin(kind: str, name: str, *, folder: Path) -> Iterator[Path]:
    """Write NAME.py with a component of the kind, and NAME.yaml, which compares it; yield the files written.

    Raises BenchError for an unknown kind, a name that cannot be used, and files that exist.
    """
    if kind not in KINDS:
        raise BenchError(f"no kind {kind!r}{near_miss(kind, KINDS, most=len(KINDS))}")
    _check(name)
    plain_name = same_name(name)
    if plain_name in TAKEN or keyword.iskeyword(plain_name):
        raise BenchError(f"{name!r} is the name of a module or a word of Python: choose another")
    code = _code(kind, plain_name)
    files = {folder / f"{plain_name}.py": code, folder / f"{plain_name}.yaml": suite_of(kind, plain_name)}
    yield from _written(files, folder, kind, plain_name)


def new_suite(name: str, *, folder: Path) -> Iterator[Path]:
    """Write NAME.yaml, a suite of losses; yield the files written.

    Raises BenchError for a name that cannot be used, and for files that exist.
    """
    _check(name)
    yield from _written({folder / f"{name}.yaml": SUITES["suite"].format(name=name)}, folder)


def _check(name: str) -> None:
    if not NAME.fullmatch(name):
        raise BenchError(f"{name!r} is no name: lower-case letters, digits, _ and -, such as my_loss")
    if name in WORDS:
        raise BenchError(f"{name!r} is a word of YAML: choose another name")


def _code(kind: str, name: str) -> str:
    """Return the example of a kind with its class renamed. Raises BenchError for a name that its code uses."""
    text = (HARNESS / "examples" / f"{kind}.py").read_text()
    tree = ast.parse(text)
    old = next(_registered(tree))
    new = "".join(word.capitalize() for word in name.split("_"))
    if snake_case(new) != name:
        raise BenchError(f"{name}: the name of the class {new} is {snake_case(new)}: choose that, or another")
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    if new in used - {old}:
        raise BenchError(f"{name}: the class {new} would hide another of that name: choose another")
    return re.sub(rf"\b{old}\b", new, _sorted(text, tree))


def _sorted(text: str, tree: ast.Module) -> str:
    """Return code whose imports are sorted as in a folder where `harness` is a library like others."""
    every = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    foreign = [node for node in every if _module(node).split(".")[0] not in sys.stdlib_module_names]
    ordered = sorted(foreign, key=lambda node: (isinstance(node, ast.ImportFrom), _module(node)))
    lines, first, last = text.splitlines(), foreign[0].lineno - 1, foreign[-1].end_lineno
    block = [ast.get_source_segment(text, node) or "" for node in ordered]
    return "\n".join([*lines[:first], *block, *lines[last:]]) + "\n"


def _module(node: ast.stmt) -> str:
    return (node.module or "") if isinstance(node, ast.ImportFrom) else ast.unparse(node).split()[1]


def _registered(tree: ast.Module) -> Iterator[str]:
    """Yield the classes that the function `components` returns."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.List):
            yield from (each.id for each in node.value.elts if isinstance(each, ast.Name))


def _written(files: Mapping[Path, str], folder: Path, kind: str = "", name: str = "") -> Iterator[Path]:
    """Write files of which none exists, and the schema that suites begin with if it is not there."""
    if there := [path.name for path in files if path.exists() or path.is_symlink()]:
        raise BenchError(f"{', '.join(there)}: exists already, nothing was written")
    with Server() as server:
        known = _catalogue(server).table.get((kind, name))
        if known is not None:
            raise BenchError(f"the {kind} {name} exists already ({known['file']}:{known['line']}): choose another name")
        for path, text in files.items():
            with writing(path), path.open("x", encoding="utf-8") as stream:
                stream.write(HEADER + text if path.suffix == ".yaml" else text)
            yield path
        schema = folder / SCHEMA
        if not schema.exists():
            plugins = [path for path in files if path.suffix == ".py"]
            write(schema, f"{json.dumps(json_schema(_catalogue(server, *plugins).table))}\n")
            yield schema


def _catalogue(server: Server, *plugins: Path) -> Catalogue:
    """Return all components, with those of some plugins."""
    found = gather(own((str(path), Path.cwd(), None) for path in plugins), [], describer(server))
    found.complete()
    return found
