"""Issues on which rows count in the corrections: those left out by a selection, and those that repeat others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.analysis.family import unmeasured
from harness.analysis.pairing import Partner, full_name, is_control, problems
from harness.results import Issue, IssueKind, MeasuredRun


def repeated(run: MeasuredRun, originals: Sequence[int], links: Sequence[Partner]) -> Iterator[Issue]:
    """Yield an issue for every row that others repeat; not those that repeat their own baseline, as verdicts say."""
    groups: dict[int, list[int]] = {}
    for index, original in enumerate(originals[: len(run.cells)]):
        partner = links[index].index if links else None
        if index != original and (partner is None or originals[partner] != original):
            groups.setdefault(original, []).append(index)
    rows = (*run.cells, *run.left_out)
    for original, members in groups.items():
        names = tuple(full_name(run, run.cells[index].vary) for index in members)
        yield Issue(IssueKind.SAME_ROWS, rows=names, name=full_name(run, rows[original].vary))


def left_out(run: MeasuredRun, own: int, links: Sequence[Partner]) -> Iterator[Issue]:
    """Yield an issue if only the first `own` rows of a suite are part of the run."""
    if own == len(run.cells):
        return
    groups = problems(run, run.cells).values()
    gone = sum(min(members) >= own for members in groups)
    whole = sum(min(members) >= own or max(members) < own for members in groups) == len(groups)
    count, total, name = (gone, len(groups), PROBLEMS) if whole else (len(run.cells) - own, len(run.cells), ROWS)
    family = [
        index
        for index, link in enumerate(links)
        if link.index not in (None, index) and not is_control(run, run.cells[index])
    ]
    unknown = sum(1 for _ in unmeasured(run, links))
    yield Issue(IssueKind.LEFT_OUT, count=count, total=total, name=name, value=len(family), bound=unknown)


PROBLEMS, ROWS = "problems", "rows"
"""Names of what a selection leaves out: whole problems alone, or rows of some."""
