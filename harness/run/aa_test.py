"""A suite with every cell twice under two names that compete, which the suite's own check would refuse."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from harness.run.load import LoadedSuite
from harness.suite import Cell, Point


def doubled(prepared: LoadedSuite, axis: str, names: Mapping[str, str | None]) -> LoadedSuite:
    """Repeat every cell for each name, compared along `axis` with the first; names map to revisions or None."""
    suite = prepared.suite

    def twice_each(cells: Sequence[Cell]) -> list[Cell]:
        return [
            dataclasses.replace(cell, vary={**cell.vary, axis: name}, revision=revision)
            for cell in cells
            for name, revision in names.items()
        ]

    twice = dataclasses.replace(
        suite,
        axes={**suite.axes, axis: [Point(name, name) for name in names]},
        varies=(*suite.varies, axis),
        contenders=(axis,),
        group_by=None,
        baseline=next(iter(names)),
    )
    cells, left_out = twice_each(prepared.cells), twice_each(prepared.left_out)
    return dataclasses.replace(prepared, suite=twice, cells=cells, left_out=left_out)
