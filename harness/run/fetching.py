"""Components that read what can be downloaded: what is not on this machine, and its download by `bench fetch`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from harness.base import Spec, component_name, label
from harness.errors import Failure, Mistakes
from harness.run.load import LoadedSuite
from harness.suite import Cell
from harness.worker.supervisor import Server

T = TypeVar("T")
NAME: Any = str | None
"""Type of a name that may be missing."""
WITHIN = 3600.0
"""Seconds allowed for reading or downloading."""


class Absent(NamedTuple):
    """A component whose files are not on this machine: its spec, the name of what would be downloaded.

    `why` says that nothing can be: the component refused.
    """

    kind: str
    spec: Spec
    name: str
    why: str = ""


def absent_files(prepared: LoadedSuite, server: Server, cells: Iterable[Cell]) -> list[Absent]:
    """Return the components of some cells that would download something, and its name."""
    found: list[Absent] = []
    for kind, spec in _fetching(prepared, cells):
        try:
            name = asked_of(prepared, server, "to_fetch", kind, spec, NAME)
        except Failure as failure:
            found.append(Absent(kind, spec, component_name(spec), failure.reason))
            continue
        found += [] if name is None else [Absent(kind, spec, name)]
    return found


def fetched(prepared: LoadedSuite, server: Server) -> Iterator[tuple[str, bool]]:
    """Download what the cells read; yield the label of each component, and whether anything was downloaded.

    Components are those that can download, and data sets that read a file. Raises Mistakes at the end with one entry
    for each that cannot be had, at its place in the suite.
    """
    mistakes: dict[str, None] = {}
    reading = [("dataset", spec) for spec, _ in datasets_of_files(prepared, prepared.cells)]
    for kind, spec in _distinct([*reading, *_fetching(prepared, prepared.cells)]):
        try:
            yield label(spec), asked_of(prepared, server, "fetch", kind, spec, bool)
        except Failure as failure:
            mistakes[entry(prepared, kind, spec, failure.reason)] = None
    if mistakes:
        raise Mistakes(list(mistakes))


def datasets_of_files(prepared: LoadedSuite, cells: Iterable[Cell]) -> Iterator[tuple[Spec, list[str]]]:
    """Yield every distinct data set that reads files, with its paths."""
    pairs = (("dataset", cell.parts["dataset"]) for cell in cells if "dataset" in cell.parts)
    for _, spec in _distinct(pairs):
        paths = prepared.catalogue.paths("dataset", spec)
        if paths and not prepared.catalogue.commands("dataset", spec):  # no program is run for a check
            yield spec, paths


def _fetching(prepared: LoadedSuite, cells: Iterable[Cell]) -> Sequence[tuple[str, Spec]]:
    """Return every distinct component that may download something, nested ones too."""
    table, specs = prepared.catalogue.table, prepared.catalogue.specs
    whole = _distinct(pair for cell in cells for pair in cell.parts.items())
    every = _distinct(inner for kind, spec in whole for inner in specs(kind, spec))
    return [(kind, spec) for kind, spec in every if table[kind, component_name(spec)]["facts"].get("fetches")]


def _distinct(pairs: Iterable[tuple[str, Spec]]) -> list[tuple[str, Spec]]:
    return list({json.dumps(pair, sort_keys=True): pair for pair in pairs}.values())


def asked_of(prepared: LoadedSuite, server: Server, ask: str, kind: str, spec: Spec, answer: type[T]) -> T:
    """Return a child's answer on one component. Raises Failure with the reason why there is none."""
    catalogue = prepared.catalogue
    sources = catalogue.sources(catalogue.used(kind, spec))
    child = server.start()
    try:
        folder = str(prepared.suite.file.parent.resolve())
        question = {"ask": ask, "plugins": [s.data() for s in sources], "kind": kind, "spec": spec, "folder": folder}
        return child.ask(question, answer, WITHIN)
    finally:
        child.close()


def entry(prepared: LoadedSuite, kind: str, spec: Spec, reason: str) -> str:
    """Return the entry of a mistake: the place in the suite of a component's path, or first text, and the reason."""
    others = [value for name, value in spec.items() if name != "name" and isinstance(value, (str, int, float))]
    texts = [value for value in others if isinstance(value, str)]
    word = next(iter([*prepared.catalogue.paths(kind, spec), *texts]), component_name(spec))
    place = prepared.document.place_of(kind, [word, *others])
    return place.entry(reason if word in reason else f"{word}: {reason}")
