"""Problems under a lockstep protocol: which tasks are measured together, and whether what is stored serves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.analysis import Partner, partners
from harness.base import Spec
from harness.suite import Cell, Suite

if TYPE_CHECKING:
    from harness.planning.tasks import Task

Key = tuple[str, ...]

EVERY_BLOCK = "all blocks asked for were measured"
"""Why a measurement in lockstep stopped where nothing else stopped it: asked for more, it has to be made again."""


def baselines(suite: Suite, cells: Sequence[Cell]) -> list[dict[str, Spec]]:
    """The parts of the row that each cell is compared with, its own where there is none.

    Raises BenchError for a baseline that is no row, or several rows of one problem.
    """
    run: dict[str, Any] = {
        "axes": suite.labels(),
        "contenders": list(suite.contenders),
        "within": suite.within,
        "baseline": suite.baseline,
        "cells": [{"vary": cell.vary} for cell in cells],
    }
    links = partners(run) or [Partner(None)] * len(cells)
    return [cells[index if link.index is None else link.index].parts for index, link in enumerate(links)]


def together(suite: Suite, cells: Sequence[Cell], tasks: Sequence[Task]) -> list[list[Task]]:
    """The tasks of every problem (cells that differ in nothing but what competes), the baseline's row first.

    A task that is skipped from the start takes no part.
    """
    groups: dict[Key, list[Task]] = {}
    for cell, task in zip(cells, tasks, strict=True):
        key = tuple(str(cell.vary[axis]) for axis in suite.varies if axis not in suite.contenders)
        groups.setdefault(key, []).extend([] if task.skipped else [task])
    return [sorted(group, key=_is_compared) for group in groups.values() if group]


def _is_compared(task: Task) -> bool:
    return bool(task.cell["baseline"] != task.cell["parts"])


def reuse(group: Sequence[Task]) -> None:
    """Serve a problem from the last run that has it whole, or have it measured: timings of two runs never mix."""
    stored = [{record["run"]: record for record in task.records if _serves(task, record)} for task in group]
    run = next((run for run in reversed(stored[0]) if all(run in each for each in stored)), None)
    for task, each in zip(group, stored, strict=True):
        task.records = []
        if run is not None and each[run]["status"] == "skipped":
            task.skipped = each[run]["reason"]
        elif run is not None:
            task.records = [each[run]]
            task.wanted = task.wanted[: len(each[run]["seeds"])]


def _serves(task: Task, record: dict[str, Any]) -> bool:
    if record["status"] == "skipped":
        return True
    seeds = record["seeds"]
    return task.wanted[: len(seeds)] == tuple(seeds[: len(task.wanted)]) and (
        len(seeds) >= len(task.wanted) or record["stop"] != EVERY_BLOCK
    )
