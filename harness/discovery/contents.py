"""Digests of what a component reads: files, folders, the modules it imports, the installed packages they come from.

They belong to the identity of a cell: where one changes, its numbers are measured again.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.discovery import cache, digests, sources
from harness.discovery.sources import Source

REMEMBERED = 1 << 20
"""Bytes from which the digest of a file is kept on disk, by its size, times and inode; smaller ones are read anew."""

SETTLED = 2.0
"""Seconds since its last change after which a file's times tell that it has not changed since."""

ABSENT = "absent"
"""Stands for the digest of a path where nothing is."""


class Imports(NamedTuple):
    """The code behind a file: name -> file of every module outside of installed packages, and the packages' modules."""

    modules: Mapping[str, Path]
    packages: frozenset[str]


def of_path(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents below a folder; `absent` where there is neither."""
    if path.is_dir():
        digest = hashlib.sha256()
        for folder, folders, files in os.walk(path, followlinks=True):
            folders.sort()
            for name in sorted(files):
                file = Path(folder, name)
                digest.update(f"{file.relative_to(path).as_posix()}\0{of_path(file)}\n".encode())
        return digest.hexdigest()
    return _of_file(path) if path.is_file() else ABSENT


def _of_file(path: Path) -> str:
    state = path.stat()
    if state.st_size < REMEMBERED:
        return digests.digest_of_file(path)
    seen = [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
    kept = cache.folder("contents") / f"{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()}.json"
    stored = cache.read(kept)
    if stored and stored["seen"] == seen:
        return str(stored["digest"])
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if time.time() - max(state.st_mtime, state.st_ctime) > SETTLED:
        cache.write(kept, {"seen": seen, "digest": found})
    return found


def of_code(file: Path) -> dict[str, str]:
    """Digests of a module and of all it imports: of other modules by file name, of packages by name and version."""
    found = imports(file)
    known = {name: _module(path).digest for name, path in found.modules.items()}
    return known | {f"package {name}": of_package(name) for name in sorted(found.packages)}


def of_source(file: Path) -> str:
    """SHA-256 of the syntax of a file of code, without docstrings."""
    return _module(file).digest


def of_plugin(source: Source) -> dict[str, str]:
    """Digests of the code of a plugin; of one that is an installed library's module, of its package."""
    if sources.is_library(source) and source.module:
        root = source.module.partition(".")[0]
        return {f"package {root}": of_package(root)}
    return of_code(Path(source.file))


def of_module(name: str) -> dict[str, str]:
    """Return digests of a module given by its import path; `absent` if there is none."""
    file = sources.locate(name)
    if file is None:
        return {f"module {name}": ABSENT}
    root = name.partition(".")[0]
    return {f"package {root}": of_package(root)} if sources.is_installed(file) else of_code(file)


@functools.cache
def imports(file: Path) -> Imports:
    """The modules that a file imports, directly or through each other, itself first; the standard library left out."""
    modules: dict[str, Path] = {}
    packages: set[str] = set()
    waiting = [file]
    while waiting:
        current = waiting.pop()
        if current not in modules.values():
            modules[_name(current, modules)] = current
            for found in _imported(current):
                if isinstance(found, str):
                    packages.add(found)
                else:
                    waiting.append(found)
    return Imports(modules, frozenset(packages))


def _name(file: Path, taken: Mapping[str, Path]) -> str:
    """The file's name, after that of its folder where it belongs to a package or another file is called so."""
    packaged = (file.parent / "__init__.py").is_file() or sources.stock_folder() in file.parents
    name = f"{file.parent.name}/{file.name}" if packaged else file.name
    while name in taken:
        name = f"{name}'"
    return name


def _imported(file: Path) -> Iterator[Path | str]:
    """The files of the modules that a file imports; of one that is installed, the name of its package."""
    for dotted, level, names in _module(file).statements:
        if level:
            above = file.parents[level - 1]
            yield from _below(above, [part for part in dotted.split(".") if part], names)
            continue
        root, *rest = dotted.split(".")
        if root in sys.stdlib_module_names:
            continue
        if root == "harness":
            yield from _of_harness(rest, names)
        elif (file.parent / f"{root}.py").is_file() or (file.parent / root / "__init__.py").is_file():
            yield from _below(file.parent, [root, *rest], names)
        elif (origin := _origin(root)) is not None:
            if sources.is_installed(origin):
                yield root
            else:
                above = origin.parent.parent if origin.name == "__init__.py" else origin.parent
                above = origin.parent if origin.is_dir() else above
                yield from _below(above, [root, *rest], names)
    yield from digests.compiled_beside(file)


def _of_harness(rest: list[str], names: tuple[str, ...]) -> Iterator[Path | str]:
    """Yield the files of this package that an import runs: of the door, the modules that the names come from."""
    if rest[:1] == ["stock"]:
        yield from _below(sources.stock_folder(), rest[1:], names)
    elif sources.is_installed(sources.HARNESS):
        yield "harness"
    elif rest:
        yield from (file for file in _below(sources.HARNESS, rest, names) if file.name != "__init__.py")
    else:
        for name in names:
            yield from _below(sources.HARNESS, _door().get(name, [name]), ())


@functools.cache
def _door() -> Mapping[str, list[str]]:
    """Public name of this package -> the parts of the module that it comes from."""
    tree = ast.parse((sources.HARNESS / "__init__.py").read_bytes())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {alias.name: str(node.module).split(".")[1:] for node in found for alias in node.names}


def _below(folder: Path, parts: list[str], names: tuple[str, ...]) -> Iterator[Path]:
    """The files that importing `parts` below a folder runs: packages on the way, the module, modules among names."""
    for part in parts:
        if (folder / f"{part}.py").is_file() and not (folder / part / "__init__.py").is_file():
            yield folder / f"{part}.py"
            return
        yield from folder.glob(f"{part}.*.so")
        folder = folder / part
        if (folder / "__init__.py").is_file():
            yield folder / "__init__.py"
    for name in names:
        if (folder / f"{name}.py").is_file():
            yield folder / f"{name}.py"
        elif (folder / name / "__init__.py").is_file():
            yield folder / name / "__init__.py"


class Module(NamedTuple):
    """A file of code: digest of its syntax, or of its bytes if it is not Python; (module, level, names) it imports."""

    digest: str
    statements: Sequence[tuple[str, int, tuple[str, ...]]]


@functools.cache  # a command sees one state of the code
def _module(file: Path) -> Module:
    """Read and parse a file once, for its digest and its imports."""
    content = file.read_bytes()
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):  # compiled, or a sibling that is not Python
        return Module(hashlib.sha256(content).hexdigest(), ())
    statements = _statements(tree)
    return Module(hashlib.sha256(ast.dump(_Bare().visit(tree)).encode()).hexdigest(), statements)


def _statements(tree: ast.AST) -> list[tuple[str, int, tuple[str, ...]]]:
    """Return every import, in functions too, but none for types alone."""
    found: list[tuple[str, int, tuple[str, ...]]] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            found += [(alias.name, 0, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.module or "", node.level, tuple(alias.name for alias in node.names)))
    return found


class _Bare(ast.NodeTransformer):
    """Removes docstrings, and from classes the BibTeX of `reference`: neither affects a number."""

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
        if isinstance(node, ast.ClassDef):
            node.body = [each for each in node.body if not _is_reference(each)]
        return node


def _is_reference(node: ast.stmt) -> bool:
    """Whether a statement of a class sets `reference` to BibTeX."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
        return False
    named = [target.id for target in node.targets if isinstance(target, ast.Name)]
    return named == ["reference"] and str(node.value.value).lstrip().startswith("@")


@functools.cache
def _origin(root: str) -> Path | None:
    """The file of a top-level module, or the folder of one without."""
    try:
        return sources.locate(root) or sources.namespace(root)
    except (ImportError, ValueError, AttributeError):
        return None


def of_environment() -> str:
    """SHA-256 over the version and files of every installed distribution, those of editable ones by their contents."""
    import importlib.metadata

    digest = hashlib.sha256(sys.version.encode())
    for found in sorted(importlib.metadata.distributions(), key=lambda each: (each.name, each.version)):
        digest.update(f"{found.name} {found.version}\n".encode())
        digest.update("\n".join(_own(found.read_text("RECORD") or "")).encode())
        origin = json.loads(found.read_text("direct_url.json") or "{}")
        folder = Path(origin.get("url", "").removeprefix("file://"))
        if origin.get("dir_info", {}).get("editable") and folder.is_dir():
            for file in sorted(folder.rglob("*.py")):
                digest.update(f"{file.relative_to(folder)} {of_path(file)}\n".encode())
    return digest.hexdigest()


def _own(record: str) -> list[str]:
    """Return the lines of a RECORD that list a distribution's own files, sorted."""
    return sorted(line for line in record.splitlines() if ".dist-info/" not in line and "__pycache__" not in line)


@functools.cache
def of_package(root: str) -> str:
    """Version of the distribution that brings a top-level module, and a digest of its list of files.

    A distribution installed again with other files under the same version has another list.
    """
    origin = _origin(root)
    if origin is None:
        return ABSENT
    site = next(p for p in origin.parents if p.name in ("site-packages", "dist-packages"))
    marks = (f"\n{root}/".encode(), f"\n{root}.py,".encode(), f"\n{origin.name},".encode())
    for record in sorted(site.glob("*.dist-info/RECORD")):
        listed = b"\n" + record.read_bytes()
        if any(mark in listed for mark in marks):
            version = record.parent.name.removesuffix(".dist-info").rpartition("-")[2]
            files = hashlib.sha256("\n".join(_own(listed.decode(errors="replace"))).encode()).hexdigest()
            return f"{version} {files[:12]}"
    return of_path(origin)
