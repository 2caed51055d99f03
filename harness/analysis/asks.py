"""Answers to the parts of a suite's question: the best points of an axis on every problem."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from harness.analysis.differences import Cells
from harness.analysis.pairing import naming, problems, text
from harness.analysis.ranks import ranks
from harness.results import Ask, Asked, Leaders, MeasuredRun, Rank


def answered(run: MeasuredRun, cells: Cells, same: Sequence[int], own: int) -> Iterator[Asked]:
    """Yield every part of the question with its answer. The first `own` rows are those of the run."""
    for ask in run.asks:
        found = (
            tuple(_leaders(run, cells, ask, same, own)) if run.metric(ask.metric).higher_is_better is not None else ()
        )
        yield Asked(ask=ask.ask, metric=ask.metric, axis=ask.axis, problems=found)


def _leaders(run: MeasuredRun, cells: Cells, ask: Ask, same: Sequence[int], own: int) -> Iterator[Leaders]:
    """Yield the best of every problem; the points of an axis compete with equal labels on all other axes."""
    several = [axis for axis, labels in run.axes.items() if len(labels) > 1]
    names, places = naming(run) if ask.axis is None else ([ask.axis], [axis for axis in several if axis != ask.axis])
    info = run if ask.axis is None else dataclasses.replace(run, group_by=tuple(places))
    for members in problems(info, run.cells).values():
        found = ranks(run, cells, members, run.metric(ask.metric), same)
        shown = {index: rank for index, rank in found.items() if index < own}
        if len(shown) < 2:
            continue
        by_rank = {rank: [text(run.cells[i].vary, names) for i, r in shown.items() if r is rank] for rank in Rank}
        problem = {axis: run.cells[members[0]].vary.get(axis) for axis in places}
        best, tied, beaten = (by_rank[rank] for rank in (Rank.BEST, Rank.TIED, Rank.BEATEN))
        yield Leaders(problem=problem, best=tuple(best), tied=tuple(tied), beaten=len(beaten))
