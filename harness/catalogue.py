"""What is known of every component without importing it: descriptions, made once by a child and cached by digest."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import sources
from harness.errors import BenchError
from harness.fields import kind_in
from harness.sources import Source

Description = Mapping[str, Any]
Describe = Callable[[list[Source]], Mapping[str, Any]]
"""Makes descriptions in a child: plugin name -> {"components": [...]} or {"error": "one line"}."""


class Catalogue:
    """The component table of one command, and which plugin brings what.

    `table` maps (kind, name) to a description; `unavailable` maps the name of an installed plugin to the reason why it
    cannot be used. Raises BenchError where a stock plugin or one the user named cannot be used.
    """

    def __init__(self, plugins: Iterable[Source], describe: Describe) -> None:
        self.table: dict[tuple[str, str], Description] = {}
        self.unavailable: dict[str, str] = {}
        self._describe = describe
        self._by_name: dict[str, Source] = {}
        self._waiting: list[Source] = []
        self._digests: dict[str, str] = {}
        everything = list(plugins)
        now = [s for s in everything if s.origin != "installed" or _cached(s)]
        self._waiting = [s for s in everything if s not in now]
        self._add(sorted(now, key=lambda s: s.origin == "installed"))

    def complete(self) -> bool:
        """Describe installed plugins nobody has seen yet; answers whether there were any."""
        waiting, self._waiting = self._waiting, []
        self._add(waiting)
        return bool(waiting)

    def import_paths(self, paths: Iterable[tuple[str, str]]) -> None:
        """Add components that a suite names by import path `module:attribute`."""
        for kind, path in paths:
            if (kind, path) not in self.table:
                module = path.partition(":")[0]
                found = sources.locate(module)
                if found is None:
                    continue  # the suite's check says so at its line
                self._add([Source(f"{kind} {path}", str(found), module, "imported")])

    def _add(self, plugins: list[Source]) -> None:
        known = {source: _cached(source) for source in plugins}
        unknown = [source for source, entries in known.items() if entries is None]
        answers = self._describe(unknown) if unknown else {}
        for source in plugins:
            entries = known[source]
            if entries is None:
                entries = self._new(source, answers.get(source.name, {"error": "it was not described"}))
            self._admit(source, entries)

    def _new(self, source: Source, answer: Mapping[str, Any]) -> list[Description]:
        if "error" in answer:
            self._refuse(source, answer["error"])
            return []
        _keep(source, answer["components"])
        return list(answer["components"])

    def _refuse(self, source: Source, reason: str) -> None:
        if source.origin != "installed":
            raise BenchError(reason)
        self.unavailable[source.name] = reason

    def _admit(self, source: Source, entries: Iterable[Description]) -> None:
        for entry in entries:
            key = (entry["kind"], entry["name"])
            other = self.table.get(key)
            if other is not None:
                self._refuse(
                    source,
                    f"{entry['file']}:{entry['line']}: {key[0]} {key[1]} is already defined at "
                    f"{other['file']}:{other['line']}; rename one, or leave one out with -p no:{other['plugin']}",
                )
                return
        for entry in entries:
            self.table[entry["kind"], entry["name"]] = entry
            self._by_name[source.name] = source

    def used(self, kind: str, spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Every component a spec needs, itself first, nested ones and their defaults too."""
        yield kind, spec["name"]
        for name, field in self.table[kind, spec["name"]]["fields"].items():
            inner = kind_in(field["schema"])
            value = spec.get(name, field.get("default"))
            if inner and isinstance(value, Mapping):
                yield from self.used(inner, value)

    def sources(self, components: Iterable[tuple[str, str]]) -> list[Source]:
        """The plugins that bring these components."""
        names = dict.fromkeys(self.table[key]["plugin"] for key in components)
        return [self._by_name[name] for name in names]

    def digest(self, kind: str, name: str) -> str:
        """The syntax digest of the plugin that brings a component: part of every cell's identity."""
        file = self._by_name[self.table[kind, name]["plugin"]].file
        if file not in self._digests:
            self._digests[file] = sources.syntax_digest(Path(file))
        return self._digests[file]


def gather(named: Iterable[tuple[str, Path]], blocked: Iterable[str], describe: Describe) -> Catalogue:
    """The catalogue of the stock, installed and named plugins. `named` are (text, folder it is relative to)."""
    own = list(dict.fromkeys(sources.given(text, folder) for text, folder in named))
    installed = [source for source in sources.installed() if source.file]
    return Catalogue(sources.without([*sources.stock(), *own, *installed], blocked), describe)


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "touchstone-bench" / "descriptions"


def _file(source: Source) -> Path:
    identity = [sources.text_digest(Path(source.file)), _base(), source.name, source.file, platform.python_version()]
    return _folder() / f"{hashlib.sha256(json.dumps(identity).encode()).hexdigest()}.json"


def _base() -> str:
    """The digest of what turns a class into a description."""
    here = Path(__file__).parent
    files = ("base.py", "kinds.py", "fields.py", "registry.py", "conformance.py", "adapters.py")
    return hashlib.sha256(b"".join((here / name).read_bytes() for name in files)).hexdigest()


def _cached(source: Source) -> list[Description] | None:
    try:
        entries: list[Description] = json.loads(_file(source).read_bytes())
    except (OSError, ValueError):
        return None
    return entries


def _keep(source: Source, entries: list[Description]) -> None:
    """Store descriptions, whole or not at all; a cache that cannot be written only costs time."""
    try:
        file = _file(source)
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as stream:
            json.dump(entries, stream)
        os.replace(stream.name, file)
    except OSError:
        return
