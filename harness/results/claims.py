"""Claims of a suite and their results, and the parts of its question with their answers, as typed values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from harness.results.statements import Reason
from harness.results.values import Label, Needed


class ClaimKind(StrEnum):
    """Standing of a claim in its source."""

    THEOREM = "theorem"
    """Proved."""
    EXPECTED = "expected"
    """Stated without a proof, or measured elsewhere."""
    OPEN = "open"
    """Left open by its source."""
    OURS = "ours"
    """Stated by the suite's author."""


class ClaimForm(StrEnum):
    """Form of a claim: what is tested."""

    ORDER = "order"
    """Every point is better than all points behind it; a theorem allows them to be equal."""
    EQUAL = "equal"
    """Every two points differ by less than `within`."""
    MAX = "max"
    """No mean is above `bound`."""
    MIN = "min"
    """No mean is below `bound`."""
    VALUE = "value"
    """Every mean is nearer than `within` to `bound`."""
    RISES = "rises"
    """The mean rises from the first point to the last, and falls significantly between no neighbors."""
    FALLS = "falls"
    """The mean falls from the first point to the last, and rises significantly between no neighbors."""


PAIRED = frozenset({ClaimForm.ORDER, ClaimForm.EQUAL, ClaimForm.RISES, ClaimForm.FALLS})
"""Forms that compare two rows; the others test the mean of one."""
TRENDS = frozenset({ClaimForm.RISES, ClaimForm.FALLS})
"""Forms on the order of means along an axis."""


class Outcome(StrEnum):
    """Outcome of one test of a claim, or of the claim as a whole."""

    HOLDS = "holds"
    FAILS = "fails"
    """Significantly not as claimed."""
    SAME = "same"
    """The two rows are identical, or the mean is the bound itself."""
    UNDECIDED = "undecided"
    NOT_TESTED = "not_tested"
    """A row was not measured, or is not compared, for the reason `why`."""


@dataclass(frozen=True, kw_only=True)
class ClaimRule:
    """A claim as a suite states it; see `ClaimForm` for its numbers.

    `points` are places in the grid, axis -> label: the best first in an order, along the axis in a trend. With a `lead`
    of two places the claim is about the lead of the first over the second, in place of the metric itself. `where`
    selects rows, `fails_on` those of them where the opposite is claimed. `claim` is a sentence, `topic` a name under
    which claims are collected, `control` describes what explains the result.
    """

    kind: ClaimKind
    source: str
    form: ClaimForm
    metric: str
    points: tuple[dict[str, Label], ...] = ()
    lead: tuple[dict[str, Label], ...] = ()
    bound: float | None = None
    within: float | None = None
    where: dict[str, list[Label]] = field(default_factory=dict)
    fails_on: dict[str, list[Label]] = field(default_factory=dict)
    claim: str | None = None
    topic: str | None = None
    control: str | None = None

    @property
    def line(self) -> float:
        """Estimate between as claimed and not, before the margin: no difference, or the bound."""
        return 0.0 if self.form in PAIRED else self.bound or 0.0


@dataclass(frozen=True, kw_only=True)
class ClaimTest:
    """One test of a claim: of `row` against `other` on one problem, or of the mean of `row` alone.

    `estimate` is the mean of a row, or of a lead; of two rows the lead of `row`, in a trend how far the mean moves as
    claimed from `row` to `other`. It has the 95 % interval from `low` to `high`. `p` is adjusted for all tests of all
    claims. `needed` would decide an undecided test, `reversed` tests are of places where the opposite is claimed, and
    `ends` marks the first and the last point of a trend.
    """

    row: str
    other: str | None
    problem: dict[str, Label]
    outcome: Outcome
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    needed: Needed | None = None
    reversed: bool = False
    ends: bool = False
    why: Reason | None = None


@dataclass(frozen=True, kw_only=True)
class Claim(ClaimRule):
    """A claim with its tests."""

    tests: tuple[ClaimTest, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """Outcome of the whole claim.

        It fails if any test does, and holds if all do. A trend holds if its ends do, unless the interval of a test
        lies wholly against it. Identical rows fit every claim but one that a row is better than another, or that rows
        differ. `same` does not occur.
        """
        found = [self._fitted(test) for test in self.tests]
        if Outcome.FAILS in found:
            return Outcome.FAILS
        if Outcome.NOT_TESTED in found or not found:
            return Outcome.NOT_TESTED if set(found) <= {Outcome.NOT_TESTED} else Outcome.UNDECIDED
        if self.form in TRENDS and not any(map(_against, self.tests)):
            found = [each for each, test in zip(found, self.tests, strict=True) if test.ends]
        return Outcome.HOLDS if set(found) == {Outcome.HOLDS} else Outcome.UNDECIDED

    def _fitted(self, test: ClaimTest) -> Outcome:
        """Return the outcome of a test; identical rows hold or are undecided."""
        if test.outcome is not Outcome.SAME:
            return test.outcome
        strict = self.form in TRENDS or (self.form is ClaimForm.ORDER and self.kind is not ClaimKind.THEOREM)
        return Outcome.UNDECIDED if strict or test.reversed else Outcome.HOLDS


def _against(test: ClaimTest) -> bool:
    """Return whether the interval of a test lies wholly on the side that is not claimed."""
    if test.low is None or test.high is None:
        return False
    return test.low > 0 if test.reversed else test.high < 0


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A part of a suite's question: a sentence, the metric that answers it, and the axis whose points compete.

    Without an axis all contenders compete.
    """

    ask: str
    metric: str
    axis: str | None = None


@dataclass(frozen=True, kw_only=True)
class Leaders:
    """The best points on one problem, those tied with them, and the number of others."""

    problem: dict[str, Label]
    best: tuple[str, ...]
    tied: tuple[str, ...]
    beaten: int


@dataclass(frozen=True, kw_only=True)
class Asked(Ask):
    """A part of the question with its answer on every problem."""

    problems: tuple[Leaders, ...] = ()
