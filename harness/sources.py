"""Where plugins come from: the stock folder, installed distributions, the suite and the command line.

Nothing is imported here. A source is found by reading metadata and file names; its digests come from its text.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.machinery
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.errors import BenchError, near_miss
from harness.hookspecs import PROJECT


_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+(\S+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)|import[ \t]+([^\n]+))", re.MULTILINE)
"""An import statement. Reading the syntax tree instead would cost the command most of its start."""


@dataclass(frozen=True)
class Source:
    """One plugin that could be imported: its name, its file, its module name where it has one, and who brought it.

    `origin` is `stock` (ours), `installed` (an entry point of the group `bench`) or `given` (named by the user).
    """

    name: str
    file: str
    module: str | None
    origin: str

    def data(self) -> dict[str, Any]:
        """The form that crosses to another process."""
        return asdict(self)


def stock_folder() -> Path:
    """The folder of the stock plugins: `harness/stock` when installed, `plugins` beside `harness` in a checkout."""
    here = Path(__file__).resolve().parent
    return here / "stock" if (here / "stock").is_dir() else here.parent / "plugins"


def stock() -> list[Source]:
    """Every stock plugin, the protocols included, in a fixed order."""
    protocols = Path(__file__).resolve().parent / "protocols"
    found = []
    for folder, package in ((protocols, "harness.protocols"), (stock_folder(), "harness.stock")):
        for file in sorted(folder.rglob("*.py")):
            parts = file.relative_to(folder).with_suffix("").parts
            if not any(part.startswith("_") for part in parts):
                found.append(Source(".".join(parts), str(file), ".".join((package, *parts)), "stock"))
    return found


def installed() -> list[Source]:
    """Plugins of installed distributions, from their metadata alone; one whose file is nowhere has an empty `file`."""
    from importlib.metadata import entry_points

    found = []
    for point in entry_points(group=PROJECT):
        module = point.value.partition(":")[0]
        found.append(Source(point.name, str(locate(module) or ""), module, "installed"))
    return sorted(set(found), key=lambda source: source.name)


def given(text: str, folder: Path) -> Source:
    """The plugin a user named: a file relative to `folder`, or a module. Raises BenchError where there is none."""
    path = Path(text).expanduser()
    if text.endswith(".py") or "/" in text:
        file = path if path.is_absolute() else folder / path
        if not file.is_file():
            others = [p.name for p in file.parent.glob("*.py")] if file.parent.is_dir() else []
            raise BenchError(f"no plugin file {text}{near_miss(file.name, others)}")
        return Source(file.stem, str(file.resolve()), None, "given")
    located = locate(text)
    if located is None:
        hint = f", did you mean the file {text}.py?" if (folder / f"{text}.py").is_file() else ""
        raise BenchError(f"no module named {text!r}{hint}")
    return Source(text, str(located), text, "given")


def locate(module: str) -> Path | None:
    """The file of a module, found without importing it or its parent packages; None where there is none."""
    search: Any = None
    name = ""
    spec = None
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        spec = _find(name, search)
        if spec is None:
            return None
        search = spec.submodule_search_locations
    return Path(spec.origin) if spec and spec.origin and spec.origin != "built-in" else None


def _find(name: str, path: Any) -> importlib.machinery.ModuleSpec | None:
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path)
        if spec is not None:
            return spec
    return None


def without(sources: Iterable[Source], blocked: Iterable[str]) -> list[Source]:
    """The sources left after `-p no:NAME`; a name nobody has is a BenchError."""
    kept = list(sources)
    for name in blocked:
        left = [s for s in kept if s.name != name and s.name.rsplit(".", 1)[-1] != name]
        if len(left) == len(kept):
            raise BenchError(f"-p no:{name}: no plugin has this name{near_miss(name, [s.name for s in kept])}")
        kept = left
    return kept


def family(file: Path) -> list[Path]:
    """A plugin's file and the modules it imports from its own folder, directly or through each other."""
    seen: list[Path] = []
    waiting = [file]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.append(current)
            waiting.extend(_siblings(current))
    return [seen[0], *sorted(seen[1:])]


def _siblings(file: Path) -> Iterator[Path]:
    """Modules of the same folder that a file's import statements name; naming one too many does no harm."""
    try:
        text = file.read_text(errors="replace")
        beside = set(os.listdir(file.parent))
    except OSError:
        return
    words = {word for statement in _IMPORT.findall(text) for part in statement for word in re.findall(r"\w+", part)}
    for word in sorted(words):
        if f"{word}.py" in beside and word != file.stem:
            yield file.parent / f"{word}.py"
        elif word in beside and (file.parent / word / "__init__.py").is_file():
            yield from sorted((file.parent / word).rglob("*.py"))


def text_digest(file: Path) -> str:
    """SHA-256 over the plugin's text: what its description depends on."""
    digest = hashlib.sha256()
    for member in family(file):
        digest.update(member.name.encode() + b"\0" + member.read_bytes())
    return digest.hexdigest()


def syntax_digest(file: Path) -> str:
    """SHA-256 over the plugin's syntax, docstrings and comments removed: what its results depend on."""
    digest = hashlib.sha256()
    for member in family(file):
        digest.update(ast.dump(_Bare().visit(ast.parse(member.read_bytes()))).encode())
    return digest.hexdigest()


class _Bare(ast.NodeTransformer):
    """Removes docstrings."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and body:
            first = body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = body[1:]
        return node
