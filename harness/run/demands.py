"""Demands of a run on an engine: what one cell takes, and the files that every machine must have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from harness.discovery import contents
from harness.discovery.sources import HARNESS, stock_folder
from harness.engines import Demands
from harness.errors import BenchError
from harness.run.context import ExecutionConfig
from harness.run.environment import cores_per_cell
from harness.run.load import LoadedSuite
from harness.run.snapshot import own_code
from harness.run.task import Plan
from harness.suite import Resources
from harness.worker.supervisor import Server

CODE = (".py", ".c", ".cc", ".cpp", ".cu", ".h", ".hpp")
"""Ends of the names of files of code."""


def demands(prepared: LoadedSuite, conditions: ExecutionConfig, whole: Plan, server: Server) -> Demands:
    """Return what a run needs of its engine. Raises BenchError for what other machines cannot give."""
    if conditions.engine.is_remote and conditions.elsewhere:
        raise BenchError("--against REV: the code of a revision is on this machine alone, use --engine local")
    return Demands(
        server=server,
        results=conditions.results,
        each=_each(prepared.suite.resources, any(task.cell["device"] == "cuda" for task in whole.tasks)),
        jobs=conditions.jobs,
        gpus=conditions.gpus,
        address=conditions.address,
        alone=whole.interleaved,
        timeout=conditions.timeout,
        files=partial(_digests, prepared),
        say=conditions.listener.say,
    )


def _each(said: Resources, on_gpu: bool) -> Resources:
    """Return what one cell takes: by default two cores or as many as it has threads, and one GPU if it uses any."""
    cpus = said.cpus or cores_per_cell()
    return replace(said, cpus=cpus, gpus=int(on_gpu) if said.gpus is None else said.gpus)


def _digests(prepared: LoadedSuite) -> dict[str, str]:
    """Return the digests of the code of the harness, of the user's own code, and of the data that the cells read."""
    files = {*_ours(), prepared.suite.file.resolve(), *own_code(prepared), *_data(prepared)}
    return {str(file): contents.of_path(file) for file in sorted(files)}


def _ours() -> Iterator[Path]:
    for folder in (HARNESS, stock_folder()):
        yield from (file for file in folder.rglob("*") if file.suffix in CODE)


def _data(prepared: LoadedSuite) -> Iterator[Path]:
    """Yield the files and folders that components name, and the statistics of a reference."""
    folder = prepared.suite.file.resolve().parent
    for kind, spec in prepared.specs():
        yield from (folder / Path(text).expanduser() for text in prepared.catalogue.paths(kind, spec))
    if stats := prepared.suite.reference.get("stats"):
        yield folder / str(stats)
