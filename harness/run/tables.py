"""Check of the tables that a suite reads from files, before a run, a dry run and by `validate`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from harness.base import Spec, label
from harness.errors import Failure, Mistakes
from harness.run.load import LoadedSuite
from harness.suite import Cell
from harness.worker.supervisor import Server

WITHIN = 3600.0
"""Seconds allowed for reading a table."""


def checked_tables(prepared: LoadedSuite, server: Server, cells: Sequence[Cell] | None = None) -> list[str]:
    """Load every data set that reads a file, each in a child, and return the notes on their tables.

    `cells` are those that are still to be measured; by default all of the suite.
    Starts no child if none reads a file. Raises Mistakes with one entry for each table that cannot be used, at its
    place in the suite.
    """
    specs = (cell.parts["dataset"] for cell in (prepared.cells if cells is None else cells) if "dataset" in cell.parts)
    distinct = {json.dumps(spec, sort_keys=True): spec for spec in specs}
    notes: dict[str, None] = {}
    mistakes: dict[str, None] = {}
    for spec in distinct.values():
        paths = prepared.catalogue.paths("dataset", spec)
        if not paths or prepared.catalogue.commands("dataset", spec):  # no program is run for a check
            continue
        try:
            notes |= {f"{paths[0]}: {note}": None for note in _asked(prepared, server, spec)}
        except Failure as failure:
            if failure.status == "skipped":
                notes[f"{label(spec)}: {failure.reason}"] = None
            else:
                mistakes[_entry(prepared, spec, paths[0], failure.reason)] = None
    if mistakes:
        raise Mistakes(list(mistakes))
    return list(notes)


def _asked(prepared: LoadedSuite, server: Server, spec: Spec) -> list[str]:
    """Return the notes on one data set's table. Raises Failure with the reason why it cannot be used."""
    catalogue = prepared.catalogue
    sources = catalogue.sources(catalogue.used("dataset", spec))
    child = server.start()
    try:
        folder = str(prepared.suite.file.parent.resolve())
        question = {"ask": "check_table", "plugins": [s.data() for s in sources], "spec": spec, "folder": folder}
        notes: list[str] = child.ask(question, WITHIN)
        return notes
    finally:
        child.close()


def _entry(prepared: LoadedSuite, spec: Mapping[str, object], path: str, reason: str) -> str:
    """Return the entry of a mistake: the place of the path in the suite, and the reason."""
    others = [value for name, value in spec.items() if name != "name" and isinstance(value, (str, int, float))]
    place = prepared.document.place_of("dataset", [path, *others])
    return place.entry(reason if path in reason else f"{path}: {reason}")
