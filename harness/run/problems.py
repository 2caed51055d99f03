"""Problems under an interleaved protocol: the tasks measured together, and the baselines of cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.analysis import Partner, partners
from harness.base import Spec
from harness.results import RowInfo, RunInfo
from harness.suite import Cell, Suite

if TYPE_CHECKING:
    from harness.discovery.descriptions import Table
    from harness.run.task import Task

Key = tuple[str, ...]


def asked(suite: Suite) -> RunInfo:
    """Return the question of a suite: the facts by which rows are named, grouped and compared."""
    return RunInfo(
        suite=suite.name,
        question=suite.question,
        run="",
        protocol=suite.protocol,
        axes=suite.labels(),
        contenders=tuple(suite.contenders),
        group_by=None if suite.group_by is None else tuple(suite.group_by),
        baseline=suite.baseline,
        margin=suite.margin,
        interval=suite.interval,
    )


def controls(table: Table) -> tuple[tuple[str, str], ...]:
    """Return (kind, name) of every component that declares itself a control."""
    return tuple(pair for pair, about in table.items() if about.get("facts", {}).get("is_control"))


def baselines(suite: Suite, cells: Sequence[Cell]) -> list[dict[str, Spec]]:
    """Return the parts of each cell's baseline row, its own without a baseline.

    Raises BenchError for a baseline that matches no row, or several rows of one problem.
    """
    links = partners(asked(suite), [RowInfo(id="", vary=cell.vary) for cell in cells]) or [Partner(None)] * len(cells)
    return [cells[index if link.index is None else link.index].parts for index, link in enumerate(links)]


def interleaved_groups(suite: Suite, cells: Sequence[Cell], tasks: Sequence[Task]) -> list[list[Task]]:
    """Return the tasks of every problem (cells that differ only in competing axes), the baseline's row first.

    A task that is skipped from the start is left out.
    """
    groups: dict[Key, list[Task]] = {}
    for cell, task in zip(cells, tasks, strict=True):
        key = tuple(str(cell.vary[axis]) for axis in suite.varies if axis not in suite.contenders)
        groups.setdefault(key, []).extend([] if task.skipped else [task])
    return [sorted(group, key=_is_compared) for group in groups.values() if group]


def _is_compared(task: Task) -> bool:
    return bool(task.cell["baseline"] != task.cell["parts"])
