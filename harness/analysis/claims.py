"""Claims tested on the measurements: where each one holds, fails or is undecided."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

from harness.analysis.differences import ALPHA, Cells, compared, infinite, is_chance, is_test
from harness.analysis.pairing import text
from harness.analysis.samples import Measured, lead
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


class Subject(NamedTuple):
    """One number that a claim is about: of a row, or the lead of the first of two `rows` over the second."""

    rows: tuple[int, ...]
    vary: Labels


class _Claimed:
    """One claim on the rows of a run."""

    def __init__(self, run: MeasuredRun, cells: Cells, claim: ClaimRule, own: int) -> None:
        self.run, self.cells, self.claim, self.own = run, cells, claim, own
        self.metric = run.metric(claim.metric)
        self.rows = [i for i, cell in enumerate(run.cells) if _selected(cell.vary, claim.where)]
        several = [axis for axis, labels in run.axes.items() if len(labels) > 1]
        leading = [axis for axis in run.axes if claim.lead and axis in claim.lead[0]]
        self.several = [axis for axis in several if axis not in leading]
        self.named = [axis for axis in run.axes if claim.points and axis in claim.points[0]]
        self.others = [axis for axis in self.several if axis not in self.named]
        rows = [Subject((index,), run.cells[index].vary) for index in self.rows]
        self.subjects = list(self._leads(rows)) if claim.lead else rows

    def _leads(self, rows: Sequence[Subject]) -> Iterator[Subject]:
        """Yield the pairs of rows of which one leads the other."""
        for one, other in _pairs(rows, self.claim.lead[0], self.claim.lead[1], self.several):
            yield Subject((*one.rows, *other.rows), _shared(one.vary, other.vary, self.several))

    def trials(self) -> Iterator[Trial]:
        """Yield every test."""
        if self.claim.form not in PAIRED:
            yield from map(self._alone, self.subjects)
            return
        trend = self.claim.form in TRENDS
        points = [point for point in self.claim.points if not trend or _is_asked(point, self.claim.where)]
        pairs = list(pairwise(points) if trend else combinations(points, 2))
        pairs += [(points[0], points[-1])] if trend and len(points) > 2 else []
        for ahead, behind in pairs:
            ends = trend and (ahead, behind) == (points[0], points[-1])
            for one, other in _pairs(self.subjects, ahead, behind, self.others):
                yield self._paired(one, other, ends)

    def _number(self, subject: Subject) -> Measured:
        """Return the number of a subject; a lead is positive where the first row is better."""
        one, *others = (self.cells[index][self.claim.metric] for index in subject.rows)
        return lead(one, others[0], 1 if self.metric.higher_is_better else -1) if others else one

    def _alone(self, subject: Subject) -> Trial:
        """Test the mean of one row, or of one lead, against the bound."""
        blank = ClaimTest(row=text(subject.vary, self.several), other=None, problem={}, outcome=Outcome.UNDECIDED,
                          reversed=self._reversed(subject))  # fmt: skip
        if why := self._absent(subject.rows):
            return self._untested(blank, subject.rows, why)
        found = from_number(self._number(subject).sample(), self.claim.line, self.run.interval)
        if not is_test(self.run, found) or self._by_chance(found, subject.rows):
            kind = ReasonKind.ON_THRESHOLD if is_test(self.run, found) else ReasonKind.ONE_PAIR
            return self._untested(blank, subject.rows, Reason(kind))
        return self._tested(blank, found, subject.rows, offset=self.claim.line)

    def _paired(self, one: Subject, other: Subject, ends: bool) -> Trial:
        """Test the difference of two subjects: in an order of the first to the second, in a trend the growth."""
        blank = ClaimTest(
            row=text(one.vary, self.named), other=text(other.vary, self.named), ends=ends,
            problem=_shared(one.vary, other.vary, self.others), outcome=Outcome.UNDECIDED,
            reversed=self._reversed(one),
        )  # fmt: skip
        rows = [*one.rows, *other.rows]
        if why := self._absent(rows):
            return self._untested(blank, rows, why)
        found = compared(self.run, self._number(one), self._number(other), self.metric)
        if found is None or self._by_chance(found, rows):
            kind = ReasonKind.ONE_PAIR if found is None else ReasonKind.ON_THRESHOLD
            return self._untested(blank, rows, Reason(kind))
        return self._tested(blank, found, rows, self._sign())

    def _sign(self) -> int:
        """Return the sign that makes an estimate positive where a claim of two subjects holds."""
        if self.claim.form is ClaimForm.ORDER:
            return 1 if self.claim.lead or self.metric.higher_is_better else -1
        return -1 if self.claim.form is ClaimForm.RISES else 1

    def _reversed(self, subject: Subject) -> bool:
        return bool(self.claim.fails_on) and _selected(self.run.cells[subject.rows[0]].vary, self.claim.fails_on)

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


def _is_asked(point: Labels, where: Mapping[str, Sequence[object]]) -> bool:
    """Whether a point of a trend is one of those that the claim selects."""
    return all(point[axis] in entries for axis, entries in where.items() if axis in point)


def _pairs(
    subjects: Sequence[Subject], ahead: Labels, behind: Labels, others: Sequence[str]
) -> Iterator[tuple[Subject, Subject]]:
    """Yield the subjects at one point, each with the one at another point that has the same labels on other axes."""
    partners = [subject for subject in subjects if _at(subject.vary, behind)]
    for one in subjects:
        if _at(one.vary, ahead):
            found = next((each for each in partners if _matched(one.vary, each.vary, others)), None)
            if found is not None:
                yield one, found


def _matched(ours: Labels, theirs: Labels, axes: Sequence[str]) -> bool:
    """Return whether labels are equal on these axes; an axis without effect in one matches any label."""
    pairs = ((ours.get(axis), theirs.get(axis)) for axis in axes)
    return all(a is None or b is None or str(a) == str(b) for a, b in pairs)


def _shared(ours: Labels, theirs: Labels, axes: Sequence[str]) -> dict[str, Label]:
    """Return the labels on these axes of two rows that match there."""
    return {axis: theirs.get(axis) if ours.get(axis) is None else ours.get(axis) for axis in axes}


def _at(vary: Labels, point: Labels) -> bool:
    return all(vary.get(axis) == label for axis, label in point.items())
