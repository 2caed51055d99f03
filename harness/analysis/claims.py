"""Claims tested on the measurements: where each one holds, fails or is undecided."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

from harness.analysis.differences import ALPHA, Cells, compared, infinite, is_chance, is_test
from harness.analysis.pairing import text
from harness.analysis.verdicts import finite
from harness.results import (
    PAIRED,
    TRENDS,
    Claim,
    ClaimForm,
    ClaimRule,
    ClaimTest,
    Label,
    Labels,
    MeasuredRow,
    MeasuredRun,
    Needed,
    Outcome,
    Reason,
    ReasonKind,
    Status,
)
from harness.statistics.paired import Difference, apart, from_number, holm, needed, same


class Trial(NamedTuple):
    """One test before the correction: the test with its estimates, its p, and whether it speaks for the claim.

    `shown` is False for a test of rows that are part of the suite alone, not of the run. `found` is the difference
    that more seeds would decide.
    """

    test: ClaimTest
    p: float | None
    fits: bool
    shown: bool
    found: Difference | None = None


def judged(run: MeasuredRun, cells: Cells, own: int) -> Iterator[Claim]:
    """Return every claim of a run with its tests.

    Holm's method runs over all tests of all claims, so that chance contradicts no theorem; identical rows are no test.
    The first `own` rows are those of the run. Tests of others count, and are not shown; they count with p = 1 if
    nothing is stored of a row.
    """
    found = [list(_Claimed(run, cells, claim, own).trials()) for claim in run.claims]
    ps = [trial.p for trials in found for trial in trials]
    adjusted, level = iter(holm(ps)), ALPHA / max(1, sum(p is not None for p in ps))
    for claim, trials in zip(run.claims, found, strict=True):
        tests = [_concluded(trial, next(adjusted), level) for trial in trials]
        shown = tuple(test for test, trial in zip(tests, trials, strict=True) if trial.shown)
        yield Claim(**{each.name: getattr(claim, each.name) for each in dataclasses.fields(ClaimRule)}, tests=shown)


def _concluded(trial: Trial, p: float | None, level: float) -> ClaimTest:
    """Return the test with its adjusted p and its outcome; `level` is what the first step of Holm's method asks for."""
    if trial.test.outcome in (Outcome.SAME, Outcome.NOT_TESTED):
        return trial.test
    sure = p is not None and p <= ALPHA
    if sure or trial.found is None:
        outcome = Outcome.UNDECIDED if not sure else Outcome.HOLDS if trial.fits else Outcome.FAILS
        return dataclasses.replace(trial.test, outcome=outcome, p=p)
    more = needed(trial.found, level)
    return dataclasses.replace(trial.test, p=p, needed=Needed(more.seeds, more.examples))


class _Claimed:
    """One claim on the rows of a run."""

    def __init__(self, run: MeasuredRun, cells: Cells, claim: ClaimRule, own: int) -> None:
        self.run, self.cells, self.claim, self.own = run, cells, claim, own
        self.metric = run.metric(claim.metric)
        named = [axis for axis in run.axes if claim.points and axis in claim.points[0]]
        self.several = [axis for axis, labels in run.axes.items() if len(labels) > 1]
        self.others = [axis for axis in self.several if axis not in named]
        self.named = named

    def trials(self) -> Iterator[Trial]:
        """Yield every test."""
        rows = [i for i, cell in enumerate(self.run.cells) if _selected(cell.vary, self.claim.where)]
        if self.claim.form not in PAIRED:
            yield from (self._alone(index) for index in rows)
            return
        points = self.claim.points
        trend = self.claim.form in TRENDS
        pairs = list(pairwise(points) if trend else combinations(points, 2))
        pairs += [(points[0], points[-1])] if trend and len(points) > 2 else []
        for ahead, behind in pairs:
            ends = trend and (ahead, behind) == (points[0], points[-1])
            for one in (index for index in rows if _at(self.run.cells[index].vary, ahead)):
                partners = (index for index in rows if _at(self.run.cells[index].vary, behind))
                found = next((index for index in partners if self._matched(one, index)), None)
                if found is not None:
                    yield self._paired(one, found, ends)

    def _matched(self, one: int, other: int) -> bool:
        """Return whether two rows differ in the claim's axes alone; an axis without effect in one matches any label."""
        ours, theirs = self.run.cells[one].vary, self.run.cells[other].vary
        pairs = ((ours.get(axis), theirs.get(axis)) for axis in self.others)
        return all(a is None or b is None or str(a) == str(b) for a, b in pairs)

    def _alone(self, index: int) -> Trial:
        """Test the mean of one row against the bound."""
        cell = self.run.cells[index]
        blank = ClaimTest(row=text(cell.vary, self.several), other=None, problem={}, outcome=Outcome.UNDECIDED,
                          reversed=self._reversed(cell))  # fmt: skip
        if why := self._absent([index]):
            return self._untested(blank, [index], why)
        found = from_number(self.cells[index][self.claim.metric].sample(), self.claim.line, self.run.interval)
        if not is_test(self.run, found) or self._by_chance(found, [index]):
            kind = ReasonKind.ON_THRESHOLD if is_test(self.run, found) else ReasonKind.ONE_PAIR
            return self._untested(blank, [index], Reason(kind))
        return self._tested(blank, found, [index], offset=self.claim.line)

    def _paired(self, one: int, other: int, ends: bool) -> Trial:
        """Test the difference of two rows; in an order the lead of the first, in a trend the growth to the second."""
        cells = self.run.cells
        blank = ClaimTest(
            row=text(cells[one].vary, self.named), other=text(cells[other].vary, self.named), ends=ends,
            problem=self._problem(one, other), outcome=Outcome.UNDECIDED, reversed=self._reversed(cells[one]),
        )  # fmt: skip
        rows = [one, other]
        if why := self._absent(rows):
            return self._untested(blank, rows, why)
        ours, theirs = (self.cells[place][self.claim.metric] for place in rows)
        found = compared(self.run, ours, theirs, self.metric)
        if found is None or self._by_chance(found, rows):
            kind = ReasonKind.ONE_PAIR if found is None else ReasonKind.ON_THRESHOLD
            return self._untested(blank, rows, Reason(kind))
        return self._tested(blank, found, rows, self._sign())

    def _problem(self, one: int, other: int) -> dict[str, Label]:
        """Return the labels that two rows share."""
        ours, theirs = self.run.cells[one].vary, self.run.cells[other].vary
        return {axis: theirs.get(axis) if ours.get(axis) is None else ours.get(axis) for axis in self.others}

    def _sign(self) -> int:
        """Return the sign that makes an estimate positive where a claim of two rows holds."""
        if self.claim.form is ClaimForm.ORDER:
            return 1 if self.metric.higher_is_better else -1
        return -1 if self.claim.form is ClaimForm.RISES else 1

    def _reversed(self, cell: MeasuredRow) -> bool:
        return bool(self.claim.fails_on) and _selected(cell.vary, self.claim.fails_on)

    def _untested(self, blank: ClaimTest, rows: Sequence[int], why: Reason) -> Trial:
        """Return a test that could not be made: it counts with p = 1 where rows were left out."""
        left_out = any(self.run.cells[index].is_left_out for index in rows)
        test = dataclasses.replace(blank, outcome=Outcome.NOT_TESTED, why=why)
        return Trial(test, 1.0 if left_out else None, False, not left_out and max(rows) < self.own)

    def _absent(self, rows: Sequence[int]) -> Reason | None:
        """Return why a test cannot be made whatever the values, or None."""
        for index in rows:
            cell, number = self.run.cells[index], self.cells[index].get(self.claim.metric)
            if cell.is_left_out:
                return cell.why
            if cell.status is not Status.OK:
                return Reason(ReasonKind.ROW_ENDED, status=cell.status, cause=cell.why)
            if cell.excluded is not None:
                return Reason(ReasonKind.EXCLUDED, text=cell.excluded)
            if number is None:
                return Reason(ReasonKind.ROW_LACKS, name=self.claim.metric)
            if lost := infinite(number):
                return Reason(ReasonKind.INFINITE, count=lost, total=len(number.values))
        return None

    def _by_chance(self, found: Difference, rows: Sequence[int]) -> bool:
        """Return whether examples on the decision threshold can explain a difference."""
        return is_chance([self.run.cells[index] for index in rows], self.claim.metric, found)

    def _tested(
        self, blank: ClaimTest, found: Difference, rows: Sequence[int], sign: int = 1, offset: float = 0.0
    ) -> Trial:
        """Test a difference; the estimate is `offset` plus the difference times `sign`."""
        low, high = sorted(sign * end for end in (found.low, found.high))
        outcome = Outcome.SAME if found.identical else Outcome.UNDECIDED
        test = dataclasses.replace(blank, outcome=outcome, estimate=offset + sign * found.difference,
                                   low=finite(offset + low), high=finite(offset + high))  # fmt: skip
        p, fits = (None, True) if found.identical else self._p(found, sign)
        open_ = found if self.claim.within is None else None
        return Trial(test, p, fits is not test.reversed, max(rows) < self.own, open_)

    def _p(self, found: Difference, sign: int) -> tuple[float | None, bool]:
        """Return the p of a test and whether the estimate is as claimed."""
        if self.claim.within is not None:
            near = abs(found.difference) < self.claim.within
            return (same if near else apart)(found, self.claim.within), near
        above = sign * found.difference > 0
        return found.p, not above if self.claim.form is ClaimForm.MAX else above


def _selected(vary: Labels, where: Mapping[str, Sequence[object]]) -> bool:
    return all(vary.get(axis) in entries for axis, entries in where.items())


def _at(vary: Labels, point: Labels) -> bool:
    return all(vary.get(axis) == label for axis, label in point.items())
