"""Files of tables and statistics that a suite reads: checked before a run, a dry run and by `validate`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from harness.base import component_name, label
from harness.errors import Failure, Mistakes
from harness.run.fetching import WITHIN, absent_files, asked_of, datasets_of_files, entry
from harness.run.load import LoadedSuite
from harness.run.trials import wrong_parts
from harness.suite import Cell
from harness.worker.supervisor import Server


class CheckedTables(NamedTuple):
    """Notes on tables, what would be downloaded among them, and the names of what would be."""

    notes: list[str]
    downloads: list[str]


def checked_tables(
    prepared: LoadedSuite, server: Server, cells: Sequence[Cell] | None = None, offline: bool = False
) -> CheckedTables:
    """Load every data set that reads a file, each in a child, and statistics; return the notes on the tables.

    `cells` are those that are still to be measured; by default all of the suite, and then import paths
    and denoisers are tried too. What other components would download is a note as well, and `offline` a mistake.
    Starts no child if none reads a file. Raises Mistakes with one entry for each table that cannot be used, at its
    place in the suite.
    """
    notes: dict[str, None] = {}
    downloads: dict[str, None] = {}
    mistakes: dict[str, None] = {}
    chosen = prepared.cells if cells is None else cells
    tables = list(datasets_of_files(prepared, chosen))
    for spec, paths in tables:
        try:
            found = asked_of(prepared, server, "check_table", "dataset", spec, list[str])
            notes |= {f"{paths[0]}: {note}": None for note in found}
        except Failure as failure:
            if failure.status == "skipped":
                notes[f"{label(spec)}: {failure.reason}"] = None
            else:
                mistakes[entry(prepared, "dataset", spec, failure.reason)] = None
    absent = absent_files(prepared, server, chosen)
    for kind, spec, name, why in absent:
        if kind == "dataset" and any(spec == table for table, _ in tables):
            continue  # its copy was found missing above
        if offline or why:
            lacking = f"{name} is not on this machine: `bench fetch` downloads it, where there is a network"
            mistakes[entry(prepared, kind, spec, why or lacking)] = None
        else:
            downloads[name] = None
            notes[f"{component_name(spec)} would download {name}, as `bench fetch` does"] = None
    mistakes |= dict.fromkeys(_wrong_stats(prepared, server))
    if cells is None:
        mistakes |= dict.fromkeys(wrong_parts(prepared, server, [json.dumps(a.spec, sort_keys=True) for a in absent]))
    if mistakes:
        raise Mistakes(list(mistakes))
    return CheckedTables(list(notes), list(downloads))


def _wrong_stats(prepared: LoadedSuite, server: Server) -> Iterator[str]:
    """Yield the mistake of a file of the reference's statistics that cannot be used."""
    file = prepared.suite.reference.get("stats")
    if file is None:
        return
    child = server.start()
    try:
        question = {"ask": "check_stats", "file": file, "folder": str(prepared.suite.file.parent.resolve())}
        child.ask(question, type(None), WITHIN)
    except Failure as failure:
        yield prepared.document.place_of_text(str(file)).entry(failure.reason)
    finally:
        child.close()
