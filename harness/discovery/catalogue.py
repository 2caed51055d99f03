"""Descriptions of all components, made once by a child process and cached by digest, without importing plugins."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.base import Spec, component_name
from harness.discovery import contents, description_cache, lost, sources
from harness.discovery.commands import code_of, of_command
from harness.discovery.sources import Source
from harness.errors import BenchError, Mistakes, near_miss
from harness.fields import Json, Schema, kind_in, text_form

if TYPE_CHECKING:
    from harness.discovery.descriptions import Description, PluginAnswer

Describe = Callable[[list[Source]], "Mapping[str, PluginAnswer]"]
"""Makes descriptions in a child process: plugin name -> its descriptions, or the reason why it cannot be used."""


class Catalogue:
    """The component table of one command, and the plugin of each component.

    `table` maps (kind, name) to a description; `unavailable` maps the name of an installed plugin to the reason why it
    cannot be used. Raises BenchError if a stock plugin, or one that the user named, cannot be used. With `tolerant` one
    that cannot be imported is in `lost` with the reason, see `stand_in`.
    """

    def __init__(self, plugins: Iterable[Source], describe: Describe, tolerant: bool = False) -> None:
        self.table: dict[tuple[str, str], Description] = {}
        self.unavailable: dict[str, str] = {}
        self.lost: dict[Source, str] = {}
        self._tolerant = tolerant
        self._describe = describe
        self._by_name: dict[str, Source] = {}
        self._waiting: list[Source] = []
        self._listeners: list[Source] = []
        self._mistakes: list[str] = []
        self._contents: dict[Path, str] = {}
        everything = list(plugins)
        for absent in [s for s in everything if not s.file]:
            self.unavailable[absent.name] = f"no module named {absent.module!r}"
            everything.remove(absent)
        installed = [s for s in everything if s.origin == "installed"]
        seen = description_cache.find(installed)
        self._waiting = [s for s in installed if s not in seen]
        self._add([*(s for s in everything if s.origin != "installed"), *seen])

    def complete(self) -> bool:
        """Describe installed plugins that have no description yet; return whether there were any."""
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
                    self._refuse_path(kind, path, f"no module named {module!r}{sources.nearest(module)}")
                else:
                    self._add([Source(f"{kind} {path}", str(found), module, "imported")])

    def stand_in(self, named: Iterable[tuple[str, str]]) -> None:
        """Add a stand-in for every (kind, name) that is unknown and may come from a plugin that cannot be imported.

        Raises Mistakes with the reasons if the user named such a plugin and nothing of it is among these.
        """
        for kind, name in named:
            if self.lost and (kind, name) not in self.table:
                near = near_miss(name, [known for k, known in self.table if k == kind])
                if source := lost.owner(name, list(self.lost), misspelled=near.closest is not None):
                    self._stand_in(kind, name, source)
        given = (source for source in self.lost if source.origin == "given" and source.name not in self._by_name)
        self._stop([self.lost[source] for source in given])

    def _stand_in(self, kind: str, name: str, source: Source) -> None:
        self._by_name[source.name] = source
        self.table[kind, name] = lost.description(kind, name, source, self.lost[source])

    def why_lost(self, parts: Mapping[str, Spec]) -> str | None:
        """Return why a plugin that some components by kind need cannot be imported; None if all can."""
        used = (pair for kind, spec in parts.items() for pair in self.used(kind, spec))
        return next((why for pair in used if (why := self.table[pair].get("lost"))), None)

    def _add(self, plugins: list[Source]) -> None:
        known = description_cache.find(plugins)
        unknown = [source for source in plugins if source not in known]
        answers = self._describe(unknown) if unknown else {}
        for source in plugins:
            found = known[source] if source in known else self._new(source, answers[source.name])
            if source not in self.lost:
                self._admit(source, found)
        self._stop(self._mistakes)

    def _stop(self, mistakes: Sequence[str]) -> None:
        if len(mistakes) > 1:
            raise Mistakes(mistakes)
        if mistakes:
            raise BenchError(mistakes[0])

    def _new(self, source: Source, answer: PluginAnswer) -> list[Description]:
        if "error" in answer:
            if self._tolerant and source.origin != "stock" and not answer.get("imported", True):
                self.lost[source] = answer["error"]
            self._refuse(source, answer["error"])
            return []
        description_cache.keep(source, answer["components"])
        return list(answer["components"])

    def _refuse(self, source: Source, reason: str) -> None:
        if source.origin == "imported":
            kind, _, path = source.name.partition(" ")
            if source in self.lost and kind in lost.KINDS:
                self._stand_in(kind, path, source)
            else:
                self._refuse_path(kind, path, reason)
        elif source.origin == "installed":
            self.unavailable[source.name] = reason
        elif source not in self.lost:
            self._mistakes.append(reason)

    def _refuse_path(self, kind: str, path: str, reason: str) -> None:
        """Add an entry with an error: the suite's check reports it at every line that names the path."""
        self.table[kind, path] = {"kind": kind, "name": path, "error": reason}

    def _admit(self, source: Source, entries: Sequence[Description]) -> None:
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
        self._by_name[source.name] = source
        for entry in entries:
            self.table[entry["kind"], entry["name"]] = entry
        if not entries and source.origin == "given" and not self._mistakes:
            self._listeners.append(source)

    def used(self, kind: str, spec: Spec) -> Iterator[tuple[str, str]]:
        """Yield (kind, name) of every component a spec needs, as `specs` does."""
        yield from ((inner, component_name(part)) for inner, part in self.specs(kind, spec))

    def specs(self, kind: str, spec: Spec) -> Iterator[tuple[str, Spec]]:
        """Yield every component a spec needs, itself first, including nested ones and their defaults.

        Raises BenchError for a default that names no component.
        """
        own = component_name(spec)
        yield kind, spec
        owner = self.table[kind, own]
        for name, field in (*owner["fields"].items(), *owner.get("declared", {}).items()):
            for inner, part in parts(field["schema"], spec.get(name, field.get("default"))):
                if (inner, (other := component_name(part))) not in self.table:
                    near = near_miss(other, [n for k, n in self.table if k == inner])
                    what = f"{own}.{name}: unknown {inner} {other!r}{near}"
                    raise BenchError(what, f"{owner['file']}:{owner['line']}")
                yield from self.specs(inner, part)

    def sources(self, components: Iterable[tuple[str, str]]) -> list[Source]:
        """Return the plugins with these components, and those that only listen to events."""
        names = dict.fromkeys(self.table[key]["plugin"] for key in components)
        return [*(self._by_name[name] for name in names), *self._listeners]

    def inputs(self, kind: str, spec: Spec, folder: Path, values: Mapping[str, str] | None = None) -> dict[str, str]:
        """Digests of everything a component reads beside its fields, by name, nested components' too.

        The code of the plugins that bring it and all they import; the files, folders and modules that fields name,
        files relative to `folder`; the files that commands name, placeholders filled with `values`.
        """
        found: dict[str, str] = {}
        for pair in self.used(kind, spec):
            add(found, contents.of_plugin(self._by_name[self.table[pair]["plugin"]]))
        for _, text, form in self._texts(kind, spec):
            if form == "command":
                add(found, of_command(text, values or {}, folder))
            elif form == "module":
                add(found, contents.of_module(text.partition(":")[0]))
        add(found, self.files(kind, spec, folder))
        return found

    def files(self, kind: str, spec: Spec, folder: Path) -> dict[str, str]:
        """Digests of the files and folders that fields of a component name, by the field, nested components' too."""
        found: dict[str, str] = {}
        for name, text, form in self._texts(kind, spec):
            if form not in ("module", "command"):
                add(found, self.file_input(name, folder / text))
        return found

    def own_code(self, kind: str, spec: Spec, folder: Path, values: Mapping[str, str]) -> set[Path]:
        """Return the files of the user's own code that `inputs` digests: of plugins, modules, programs, and imports."""
        plugins = (self._by_name[self.table[pair]["plugin"]] for pair in self.used(kind, spec))
        found = {file for each in plugins if not sources.is_library(each) for file in _own(Path(each.file))}
        for _, text, form in self._texts(kind, spec):
            if form == "command":
                found |= {file for file in code_of(text, values, folder) if sources.is_own(file)}
            elif form == "module" and (file := sources.locate(text.partition(":")[0])):
                found |= _own(file) if not sources.is_installed(file) else frozenset()
        return found

    def given_code(self) -> set[Path]:
        """Return the files of the user's own code of every plugin that the user named, used or not."""
        return {file for each in self.given() for file in _own(Path(each.file))}

    def given(self) -> list[Source]:
        """Return every plugin that the user named, used or not."""
        return [each for each in (*self._by_name.values(), *self._listeners) if each.origin == "given"]

    def file_input(self, name: str, path: Path) -> dict[str, str]:
        """Return the digest of a file or folder by a name, read once: a command sees one state of the data."""
        if path not in self._contents:
            self._contents[path] = contents.of_path(path)
        return {name: self._contents[path]}

    def commands(self, kind: str, spec: Spec) -> list[str]:
        """Return the command lines that fields of a component hold, nested components' too.

        Raises BenchError for a default that names no component.
        """
        list(self.used(kind, spec))
        return [text for _, text, form in self._texts(kind, spec) if form == "command"]

    def modules(self, kind: str, spec: Spec) -> list[str]:
        """Return the import paths that fields of a component hold, nested components' too."""
        return [text for _, text, form in self._texts(kind, spec) if form == "module"]

    def paths(self, kind: str, spec: Spec) -> list[str]:
        """Return the paths that fields of a component name, nested components' too."""
        return [text for _, text, form in self._texts(kind, spec) if form not in ("module", "command")]

    def _texts(self, kind: str, spec: Spec) -> Iterator[tuple[str, str, str]]:
        """(name of the field, text, its form) of every path, module and command that fields of a component name."""
        own = component_name(spec)
        for name, field in self.table[kind, own]["fields"].items():
            value = spec.get(name, field.get("default"))
            for each in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(each, str) and each and (form := text_form(field["schema"])):
                    yield f"{own}.{name}", each, form
            for inner, part in parts(field["schema"], value):
                yield from self._texts(inner, part)


@functools.cache  # a command sees one state of the code
def _own(file: Path) -> frozenset[Path]:
    """The user's own among the files of a module and of all it imports."""
    return frozenset(filter(sources.is_own, contents.imports(file).modules.values()))


def add(found: dict[str, str], more: Mapping[str, str]) -> None:
    """Add digests to others; a name that stands for another digest already gets a prime."""
    for name, digest in more.items():
        while found.get(name, digest) != digest:
            name += "'"
        found[name] = digest


def parts(schema: Schema, value: Json) -> Iterator[tuple[str, Spec]]:
    """Yield (kind, spec) of every component in a field's value: one, a list of them, or none."""
    inner = kind_in(schema.get("items", schema))
    for each in value if isinstance(value, (list, tuple)) else [value]:
        if inner and isinstance(each, Mapping) and "name" in each:
            yield inner, dict(each)


def gather(own: Iterable[Source], blocked: Iterable[str], describe: Describe, tolerant: bool = False) -> Catalogue:
    """Return the catalogue of the stock and installed plugins and of the user's own."""
    everything = sources.distinct([*sources.stock(), *own, *sources.installed()])
    return Catalogue(sources.without(everything, blocked), describe, tolerant)
