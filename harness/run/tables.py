"""Files of tables and statistics that a suite reads: checked before a run, a dry run and by `validate`, or fetched."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from harness.base import Spec, label
from harness.errors import Failure, Mistakes
from harness.run.load import LoadedSuite
from harness.suite import Cell
from harness.worker.supervisor import Server

T = TypeVar("T")

WITHIN = 3600.0
"""Seconds allowed for reading a table."""


def checked_tables(prepared: LoadedSuite, server: Server, cells: Sequence[Cell] | None = None) -> list[str]:
    """Load every data set that reads a file, each in a child, and statistics; return the notes on the tables.

    `cells` are those that are still to be measured; by default all of the suite.
    Starts no child if none reads a file. Raises Mistakes with one entry for each table that cannot be used, at its
    place in the suite.
    """
    notes: dict[str, None] = {}
    mistakes: dict[str, None] = {}
    for spec, paths in _read(prepared, prepared.cells if cells is None else cells):
        try:
            found = _asked(prepared, server, "check_table", spec, list[str])
            notes |= {f"{paths[0]}: {note}": None for note in found}
        except Failure as failure:
            if failure.status == "skipped":
                notes[f"{label(spec)}: {failure.reason}"] = None
            else:
                mistakes[_entry(prepared, spec, paths[0], failure.reason)] = None
    mistakes |= dict.fromkeys(_wrong_stats(prepared, server))
    if mistakes:
        raise Mistakes(list(mistakes))
    return list(notes)


def _wrong_stats(prepared: LoadedSuite, server: Server) -> Iterator[str]:
    """Yield the mistake of a file of the reference's statistics that cannot be used."""
    file = prepared.suite.reference.get("stats")
    if file is None:
        return
    child = server.start()
    try:
        child.ask({"ask": "check_stats", "file": file, "folder": str(prepared.suite.file.parent.resolve())}, WITHIN)
    except Failure as failure:
        yield prepared.document.place_of_text(str(file)).entry(failure.reason)
    finally:
        child.close()


def fetched_tables(prepared: LoadedSuite, server: Server) -> Iterator[tuple[str, bool]]:
    """Download what data sets read; yield the label and the path of each, and whether anything was downloaded.

    Raises Mistakes at the end with one entry for each that cannot be had, at its place in the suite.
    """
    mistakes: dict[str, None] = {}
    for spec, paths in _read(prepared, prepared.cells):
        try:
            yield label(spec), _asked(prepared, server, "fetch_table", spec, bool)
        except Failure as failure:
            mistakes[_entry(prepared, spec, paths[0], failure.reason)] = None
    if mistakes:
        raise Mistakes(list(mistakes))


def _read(prepared: LoadedSuite, cells: Iterable[Cell]) -> Iterator[tuple[Spec, list[str]]]:
    """Yield every distinct data set that reads files, with its paths."""
    specs = (cell.parts["dataset"] for cell in cells if "dataset" in cell.parts)
    for spec in {json.dumps(spec, sort_keys=True): spec for spec in specs}.values():
        paths = prepared.catalogue.paths("dataset", spec)
        if paths and not prepared.catalogue.commands("dataset", spec):  # no program is run for a check
            yield spec, paths


def _asked(prepared: LoadedSuite, server: Server, ask: str, spec: Spec, answer: type[T]) -> T:
    """Return a child's answer on one data set's table. Raises Failure with the reason why it cannot be used."""
    catalogue = prepared.catalogue
    sources = catalogue.sources(catalogue.used("dataset", spec))
    child = server.start()
    try:
        folder = str(prepared.suite.file.parent.resolve())
        question = {"ask": ask, "plugins": [s.data() for s in sources], "spec": spec, "folder": folder}
        return child.ask(question, answer, WITHIN)
    finally:
        child.close()


def _entry(prepared: LoadedSuite, spec: Mapping[str, object], path: str, reason: str) -> str:
    """Return the entry of a mistake: the place of the path in the suite, and the reason."""
    others = [value for name, value in spec.items() if name != "name" and isinstance(value, (str, int, float))]
    place = prepared.document.place_of("dataset", [path, *others])
    return place.entry(reason if path in reason else f"{path}: {reason}")
