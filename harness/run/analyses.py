"""The statistics of a run, computed once: the same rows analysed by the same code give the same answer."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from harness.discovery import cache
from harness.discovery.description_cache import installation
from harness.errors import BenchError, Failure, printable
from harness.results import MeasuredRun, Run
from harness.results.codec import data, typed

if TYPE_CHECKING:
    from harness.worker.supervisor import Server

KEPT = 100
"""Analyses that are kept on this machine, the newest ones."""


def analysed(run: MeasuredRun, server: Server) -> Run:
    """Return a measured run with its statistics: those of the cache, or computed in a child, which may crash once.

    Raises BenchError if the baseline is no row, Failure if the child crashes again.
    """
    question = cast("dict[str, object]", data(run))
    file = cache.folder("analyses") / f"{_key(run, question)}.json"
    stored = cache.read(file)
    if stored is not None:
        return replace(typed(Run, stored), run=run.run)
    found = _computed(server, {"ask": "analyse", "run": printable(question)})
    cache.write(file, data(found))
    cache.keep_newest(file.parent, KEPT)
    return found


def _key(run: MeasuredRun, question: Mapping[str, object]) -> str:
    """Return the digest of all that an analysis depends on: the rows, their results per example, the code."""
    units = [_state(Path(name)) for row in (*run.cells, *run.left_out) for name in row.units]
    libraries = [importlib.metadata.version(name) for name in ("numpy", "scipy")]
    parts = [{**question, "run": ""}, units, installation(), libraries]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _state(file: Path) -> Sequence[int]:
    """Return size, time and inode of a file of results per example, which change with its content."""
    try:
        found = file.stat()
    except OSError:
        return ()
    return (found.st_size, found.st_mtime_ns, found.st_ino)


def _computed(server: Server, question: Mapping[str, object]) -> Run:
    """Return the answer of a child, or of a second one where the first crashed."""
    try:
        return _asked(server, question)
    except Failure as failure:
        if failure.status == "failed":
            raise BenchError(failure.reason) from None
    try:
        return _asked(server, question)
    except Failure as failure:
        again = "everything measured is stored, the same command computes them again"
        raise Failure(failure.status, f"no statistics were computed: {failure.reason}; {again}") from None


def _asked(server: Server, question: Mapping[str, object]) -> Run:
    child = server.start()
    try:
        return child.ask(question, Run)
    finally:
        child.close()
