"""Problems under a lockstep protocol: which tasks are measured together, and whether what is stored serves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.analysis import Partner, partners
from harness.base import Spec
from harness.results import RowInfo, RunInfo
from harness.suite import Cell, Suite

if TYPE_CHECKING:
    from harness.run.task import Task

Key = tuple[str, ...]


def asked(suite: Suite) -> RunInfo:
    """What a suite asks, as far as rows are named, grouped and compared by it."""
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


def baselines(suite: Suite, cells: Sequence[Cell]) -> list[dict[str, Spec]]:
    """The parts of the row that each cell is compared with, its own where there is none.

    Raises BenchError for a baseline that is no row, or several rows of one problem.
    """
    links = partners(asked(suite), [RowInfo(id="", vary=cell.vary) for cell in cells]) or [Partner(None)] * len(cells)
    return [cells[index if link.index is None else link.index].parts for index, link in enumerate(links)]


def interleaved_groups(suite: Suite, cells: Sequence[Cell], tasks: Sequence[Task]) -> list[list[Task]]:
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
