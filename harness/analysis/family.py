"""The family of a metric's tests: all comparisons of contenders with baselines in the suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.analysis.differences import ALPHA
from harness.analysis.pairing import Partner, is_control
from harness.results import MeasuredRun
from harness.statistics.paired import Difference, holm, same


class Family:
    """All tests of one metric, with p-values adjusted for all of them by Holm's method.

    A test is of a row against its baseline. Rows that repeat another, so that the pair of rows compared is the same
    pair under other names, are one test, and none where the row repeats its own baseline. Comparisons of rows that were
    not selected, and of which nothing is stored, count with p = 1, which is never too small (`holm`). Controls are not
    in the family. `others` are, by row, the variants that have seen the row's test set and are not of the suite.
    """

    def __init__(
        self,
        run: MeasuredRun,
        links: Sequence[Partner],
        originals: Sequence[int],
        tests: Mapping[int, Difference],
        margins: Mapping[int, float | None],
        others: Mapping[int, int],
    ) -> None:
        pairs = {index: (originals[index], originals[links[index].index or 0]) for index in tests}
        first: dict[tuple[int, int], int] = {}
        for index, pair in pairs.items():
            if pair[0] != pair[1]:
                first.setdefault(pair, index)
        unknown = sum(1 for _ in unmeasured(run, links))
        members = list(first.values())
        self.tests, self.margins = tests, margins
        self.size = len(members) + unknown
        found = dict(zip(members, holm([tests[index].p for index in members], unknown), strict=True))
        near = holm([_within(tests[index], margins[index]) for index in members], unknown)
        equal = dict(zip(members, near, strict=True))
        self.adjusted: dict[int, float] = {}
        """Row number -> adjusted p."""
        self.equal: dict[int, float | None] = {}
        """Row number -> the same for the test of equivalence, where there is a margin."""
        self.over_looks: dict[int, float] = {}
        """Row number -> p adjusted for the family and the others together, a comparison each, where there are any."""
        for index, pair in pairs.items():
            member = first.get(pair, -1)
            p = found.get(member)
            self.adjusted[index], self.equal[index] = 1.0 if p is None else p, equal.get(member)
        for more in {*others.values()} - {0}:
            wider = dict(zip(members, holm([tests[index].p for index in members], unknown + more), strict=True))
            here = {index: wider.get(first.get(pair, -1)) for index, pair in pairs.items() if others.get(index) == more}
            self.over_looks |= {index: 1.0 if p is None else p for index, p in here.items()}
        decided = sum(found[index] is not None and self.adjusted[index] <= ALPHA for index in members)
        self.alpha = ALPHA / max(1, self.size - decided)
        """Level that each undecided comparison has to pass."""


def _within(test: Difference, margin: float | None) -> float | None:
    return same(test, margin) if margin else None


def unmeasured(run: MeasuredRun, links: Sequence[Partner]) -> Iterator[int]:
    """Yield the places of rows whose comparison is part of the suite, and unknown: one of the two rows was left out.

    Nothing is stored of it either.
    """
    for index, link in enumerate(links):
        partner = link.index
        if partner in (None, index) or is_control(run, run.cells[index]):
            continue
        if run.cells[index].is_left_out or run.cells[partner or 0].is_left_out:
            yield index
