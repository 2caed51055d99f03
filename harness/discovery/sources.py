"""Sources of plugins: the stock folder, installed distributions, the suite and the command line.

Nothing is imported here. A source is found by reading metadata and file names; its digests come from its text.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

from harness.errors import BenchError, near_miss
from harness.hookspecs import PROJECT

HARNESS = Path(__file__).resolve().parent.parent
"""Folder of the package itself."""


class SourceData(TypedDict):
    """A source as passed to another process."""

    name: str
    file: str
    module: str | None
    origin: str


@dataclass(frozen=True)
class Source:
    """One plugin that can be imported: its name, its file, its module name if it has one, and its origin.

    `origin` is `stock` (part of the harness), `installed` (an entry point of the group `bench`) or `given` by the user.
    """

    name: str
    file: str
    module: str | None
    origin: str

    def data(self) -> SourceData:
        """Return the form that is passed to another process."""
        return {"name": self.name, "file": self.file, "module": self.module, "origin": self.origin}


def is_installed(file: Path) -> bool:
    """Return whether a file belongs to an installed package, whose version identifies its content."""
    return any(part in ("site-packages", "dist-packages") for part in file.parts)


def is_library(source: Source) -> bool:
    """Return whether a component named by an import path comes from an installed package."""
    return source.origin == "imported" and is_installed(Path(source.file))


def stock_folder() -> Path:
    """Return the folder of the stock plugins: `harness/stock` if installed, else `plugins` beside `harness`."""
    return HARNESS / "stock" if (HARNESS / "stock").is_dir() else HARNESS.parent / "plugins"


def is_own(file: Path) -> bool:
    """Return whether a file of code is the user's own, and not one of the harness or of its stock plugins."""
    whole = file.resolve()
    return not any(whole.is_relative_to(folder) for folder in (HARNESS, stock_folder()))


def stock() -> list[Source]:
    """Return every stock plugin, including the protocols, in a fixed order."""
    found = [
        Source(file.parent.name, str(file), f"harness.protocols.{file.parent.name}.protocol", "stock")
        for file in sorted((HARNESS / "protocols").glob("*/protocol.py"))
    ]
    folder = str(stock_folder())
    for at, _, files in os.walk(folder):  # pathlib takes twice the time
        above = [part for part in at[len(folder) :].split(os.sep) if part]
        for file in files:
            parts = [*above, file.removesuffix(".py")]
            if file.endswith(".py") and not any(part.startswith("_") for part in parts):
                module = ".".join(("harness.stock", *parts))
                found.append(Source(".".join(parts), os.path.join(at, file), module, "stock"))
    return sorted(found, key=lambda source: source.file.split(os.sep))


def installed() -> list[Source]:
    """Return plugins of installed distributions, from their metadata; `file` is empty if it is not found."""
    if not any(map(_may_register, sys.path)):
        return []  # importing the reader of metadata takes a tenth of the start-up
    from importlib.metadata import entry_points

    found = []
    for point in entry_points(group=PROJECT):
        module = point.value.partition(":")[0]
        found.append(Source(point.name, str(locate(module) or ""), module, "installed"))
    return sorted(set(found), key=lambda source: source.name)


def _may_register(place: str) -> bool:
    """Whether a distribution in a place of `sys.path` may have plugins; an archive always may."""
    folder = place or os.curdir
    if not os.path.isdir(folder):
        return os.path.exists(folder)
    with os.scandir(folder) as entries:
        metadata = [entry.path for entry in entries if entry.name.endswith((".dist-info", ".egg-info", "EGG-INFO"))]
    return any(_lists_plugins(os.path.join(each, "entry_points.txt")) for each in metadata)


def _lists_plugins(file: str) -> bool:
    try:
        with open(file, "rb") as stream:
            return f"[{PROJECT}]".encode() in stream.read()
    except OSError:
        return False


def given(text: str, folder: Path) -> Source:
    """Return the plugin a user named: a file relative to `folder`, or a module. Raises BenchError if there is none."""
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
    """Return the file of a module, found without importing it or its parent packages; None if there is none."""
    spec = _find_all(module.split("."))
    return Path(spec.origin) if spec and spec.origin and spec.origin != "built-in" else None


def is_built_in(module: str) -> bool:
    """Return whether a module is part of the interpreter and has no file."""
    spec = _find_all(module.split("."))
    return spec is not None and spec.origin in ("built-in", "frozen")


def namespace(root: str) -> Path | None:
    """The first folder of a top-level package without a file of its own; None where there is none."""
    spec = _find(root, None)
    return Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else None


def _find_all(parts: Iterable[str]) -> importlib.machinery.ModuleSpec | None:
    search: Sequence[str] | None = None
    name = ""
    spec = None
    for part in parts:
        name = f"{name}.{part}" if name else part
        spec = _find(name, search)
        if spec is None:
            return None
        search = spec.submodule_search_locations
    return spec


def _find(name: str, path: Sequence[str] | None) -> importlib.machinery.ModuleSpec | None:
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, path)
        except KeyError:  # a package without a file of its own, in one that is not imported
            spec = importlib.machinery.PathFinder.find_spec(name.rpartition(".")[2], path)
        if spec is not None:
            return spec
    return None


def nearest(module: str) -> str:
    """Return the near miss for the first part of a module's name that is not found; empty if nothing is close."""
    parts = module.split(".")
    for place in range(1, len(parts)):
        if locate(".".join(parts[: place + 1])) is None:
            parent = _find_all(parts[:place])
            folders = list(parent.submodule_search_locations or []) if parent else []
            beside = [file for folder in folders for file in Path(folder).iterdir()]
            names = [file.stem for file in beside if not file.stem.startswith("_")]
            return near_miss(parts[place], names).suggestion
    return ""


def distinct(sources: Iterable[Source]) -> list[Source]:
    """Return the sources, each file once and each name once: a name in use is prefixed with the folder's name."""
    kept: dict[str, Source] = {}
    files: set[str] = set()
    for source in sources:
        name = source.name
        for folder in reversed(Path(source.file).parts[1:-1]):
            name = f"{folder}/{name}" if name in kept else name
        if source.file not in files or not source.file:
            kept[name] = replace(source, name=name)
            files.add(source.file)
    return list(kept.values())


def without(sources: Iterable[Source], blocked: Iterable[str]) -> list[Source]:
    """Return the sources left after `-p no:NAME`. Raises BenchError for a name that no plugin has."""
    kept = list(sources)
    for name in blocked:
        left = [s for s in kept if s.name != name and s.name.rsplit(".", 1)[-1] != name]
        if len(left) == len(kept):
            names = [word for s in kept for word in (s.name, s.name.rsplit(".", 1)[-1])]
            raise BenchError(f"-p no:{name}: no plugin has this name{near_miss(name, names)}")
        kept = left
    return kept
