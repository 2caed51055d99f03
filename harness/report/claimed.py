"""Claims and their results, as statements and in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from harness.analysis.pairing import text
from harness.report.number_format import Estimate, told
from harness.report.words import about, adjusted, counted, reason, singular, together
from harness.results import (
    PAIRED,
    Claim,
    ClaimForm,
    ClaimKind,
    ClaimTest,
    Outcome,
    Run,
    Statement,
    StatementKind,
)

_KINDS: Mapping[ClaimKind, str] = MappingProxyType(
    {
        ClaimKind.THEOREM: "By theorem",
        ClaimKind.EXPECTED: "Expected",
        ClaimKind.OPEN: "Left open",
        ClaimKind.OURS: "Claimed here",
    }
)
_COUNTED: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.HOLDS: "holds",
        Outcome.SAME: "identical",
        Outcome.UNDECIDED: "undecided",
        Outcome.FAILS: "fails",
        Outcome.NOT_TESTED: "not tested",
    }
)
_HEADS: Mapping[Outcome, str] = MappingProxyType({**_COUNTED, Outcome.SAME: "holds"})
"""The outcome of a whole claim in words."""
_PLURAL: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.HOLDS: "hold",
        Outcome.UNDECIDED: "are undecided",
        Outcome.FAILS: "fail",
        Outcome.NOT_TESTED: "are not tested",
    }
)
_STATEMENTS: Mapping[Outcome, StatementKind] = MappingProxyType(
    {
        Outcome.HOLDS: StatementKind.HOLDS,
        Outcome.SAME: StatementKind.SAME,
        Outcome.UNDECIDED: StatementKind.OPEN,
        Outcome.FAILS: StatementKind.FAILS,
    }
)
_ORDER = (Outcome.FAILS, Outcome.UNDECIDED, Outcome.HOLDS, Outcome.NOT_TESTED)
SPELLED = 3
"""Number of tests of a claim that are written out."""
ANSWERED = 8
"""Number of claims that the answer writes out."""
FEASIBLE = 1000
"""Largest number of further seeds that is told; more is no plan."""


def claimed(run: Run) -> Iterator[Statement]:
    """Yield a statement for every test of a claim."""
    for claim in run.claims:
        for test in claim.tests:
            if kind := _STATEMENTS.get(test.outcome):
                yield Statement(kind, test.row, claim.metric, test.problem, test.other)


def sentences(run: Run) -> list[str]:
    """Return one sentence for each claim, those that fail first; of many claims the last are counted."""
    claims = ordered(run)
    told = ANSWERED if len(claims) > ANSWERED + 1 else len(claims)
    return [*(f"{sentence(run, claim)}." for claim in claims[:told]), *rest(claims[told:])]


def ordered(run: Run) -> list[Claim]:
    """Return the claims, those that fail first."""
    return sorted(run.claims, key=lambda each: _ORDER.index(each.outcome))


def rest(claims: Sequence[Claim], where: str = "") -> list[str]:
    """Return a sentence that counts claims by outcome, if there are any."""
    counts = Counter(claim.outcome for claim in claims)
    more = ", ".join(f"{count} {_PLURAL[outcome]}" for outcome, count in counts.items())
    return [f"Of {counted(counts.total(), 'more claim')}{where} {more}."] if counts else []


def brief(run: Run, claim: Claim) -> str:
    """Return a claim after its outcome, and the places where it fails: `Fails in 1 of 5 tests: ... (digits)`."""
    failing = sum(test.outcome is Outcome.FAILS for test in claim.tests)
    some = f" in {failing} of {len(claim.tests)} tests" if 0 < failing < len(claim.tests) else ""
    where = _places(claim, Outcome.FAILS) if some else ""
    return f"{_HEADS[claim.outcome].capitalize()}{some}: {claim.claim or assertion(run, claim)}{where}"


def lines(run: Run) -> Iterator[tuple[bool | None, list[str]]]:
    """Yield (whether it holds, None if that is undecided; lines) for each claim with the tests that need a look."""
    for claim in run.claims:
        held = {Outcome.HOLDS: True, Outcome.FAILS: False}.get(claim.outcome)
        yield held, [sentence(run, claim), *_details(run, claim)]


def _details(run: Run, claim: Claim) -> Iterator[str]:
    for outcome in (Outcome.FAILS, Outcome.UNDECIDED, Outcome.NOT_TESTED):
        found = [test for test in claim.tests if test.outcome is outcome]
        for test in found[:SPELLED] if len(claim.tests) > 1 else ():
            yield f"{_COUNTED[outcome]}: {_tested(run, claim, test)}"
        if len(found) > SPELLED:
            yield f"{_COUNTED[outcome]}: {counted(len(found) - SPELLED, 'more test')}"


def sentence(run: Run, claim: Claim) -> str:
    """Return a claim with its source and its result, without a full stop."""
    return f"{_KINDS[claim.kind]} ({claim.source}): {claim.claim or assertion(run, claim)}: {result(run, claim)}"


def assertion(run: Run, claim: Claim) -> str:
    """Return what is claimed, in words: `analytic, then beta by nelbo_gap`."""
    axes = [axis for axis in run.axes if claim.points and axis in claim.points[0]]
    names = [text(point, axes) for point in claim.points]
    metric, unit = claim.metric, _unit(run, claim)
    if claim.lead:
        ahead, behind = (text(place, [axis for axis in run.axes if axis in place]) for place in claim.lead)
        metric = f"the lead of {ahead} over {behind} in {metric}"
    where = "".join(f", {axis} {together([str(each) for each in only])}" for axis, only in claim.where.items())
    equal = "at least as good as" if claim.kind is ClaimKind.THEOREM else "better than"
    said = {
        ClaimForm.ORDER: f"{f' {equal} '.join(names)} in {metric}",
        ClaimForm.EQUAL: f"{together(names)} differ by less than {claim.within:g}{unit} in {metric}"
        if claim.within is not None else "",
        ClaimForm.MAX: f"{metric} at most {claim.bound or 0:g}{unit}",
        ClaimForm.MIN: f"{metric} at least {claim.bound or 0:g}{unit}",
        ClaimForm.VALUE: f"{metric} is {claim.bound or 0:g}{unit} to within {claim.within or 0:g}",
        ClaimForm.RISES: f"{metric} rises from {names[0]} to {names[-1]}" if names else "",
        ClaimForm.FALLS: f"{metric} falls from {names[0]} to {names[-1]}" if names else "",
    }  # fmt: skip
    return said[claim.form] + where


def result(run: Run, claim: Claim) -> str:
    """Return the outcome of a claim with its counts, and what would decide it."""
    counts = Counter(test.outcome for test in claim.tests)
    total = counts.total()
    if not total:
        return "no row tests it"
    end = f"{_margin(run, claim)}{_more(run, claim)}"
    if total == 1:
        return f"{_said(claim, claim.tests[0].outcome)} ({_numbers(run, claim, claim.tests[0])}){end}"
    whole = claim.outcome
    if len(counts) == 1:
        only = next(iter(counts))
        return f"{_said(claim, only)} in {'both' if total == 2 else f'all {total}'} tests{end}"
    said = ", ".join(
        f"{_said(claim, outcome)} in {counts[outcome]}{_places(claim, outcome)}"
        for outcome in _COUNTED
        if counts[outcome]
    )
    return f"{_HEADS[whole]} ({said} of {total} tests){end}"


def _margin(run: Run, claim: Claim) -> str:
    """Return the margin of a claim whose sentence is its author's."""
    return f"; margin {claim.within:g}{_unit(run, claim)}" if claim.within is not None and claim.claim else ""


def _said(claim: Claim, outcome: Outcome) -> str:
    """Return an outcome in words."""
    return "met exactly" if outcome is Outcome.SAME and claim.form not in PAIRED else _COUNTED[outcome]


def nearest(run: Run, claim: Claim) -> str:
    """Return the test that fails most, else the one nearest to another verdict, with its numbers.

    Of an undecided claim it is an undecided test. It is empty if one test is all.
    """
    known = [test for test in claim.tests if test.estimate is not None]
    if len(claim.tests) < 2 or not known:
        return ""
    failing = [test for test in known if test.outcome is Outcome.FAILS]
    extreme = max(failing, key=lambda test: _distance(claim, test)) if failing else None
    undecided = [test for test in known if claim.outcome is test.outcome is Outcome.UNDECIDED]
    chosen = extreme or min(undecided or known, key=lambda test: _distance(claim, test))
    return f"{'Worst' if failing else 'Nearest'}: {_tested(run, claim, chosen)}"


def untested(run: Run, claim: Claim) -> list[str]:
    """Return the tests of a claim that were not made where others were, with the reason."""
    found = [test for test in claim.tests if test.outcome is Outcome.NOT_TESTED and test.why is not None]
    return [_tested(run, claim, test) for test in found] if len(found) < len(claim.tests) else []


def _distance(claim: Claim, test: ClaimTest) -> float:
    """Return how far an estimate lies from the line between as claimed and not."""
    away = abs((test.estimate or 0.0) - claim.line)
    return away if claim.within is None else abs(away - claim.within)


def _more(run: Run, claim: Claim) -> str:
    """Return the number of seeds or blocks that would decide every undecided test, or that no such number is known."""
    open_ = [test.needed for test in claim.tests if test.outcome is Outcome.UNDECIDED]
    known = [each for each in open_ if each is not None]
    seeds = [each.seeds for each in known if each.seeds is not None]
    open_claim = claim.outcome is Outcome.UNDECIDED
    if not seeds or len(seeds) < len(open_):
        told = open_claim and known and len(known) == len(open_)
        return f"; more {run.replicates} alone would not decide it" if told else ""
    most = max(seeds)
    if most > FEASIBLE:
        return f"; it needs more than {FEASIBLE:,} more {run.replicates}" if open_claim else ""
    count = f"about {about(most)} more {run.replicates}" if most > 1 else f"one more {singular(run.replicates)}"
    return f"; {count} would decide {'it' if open_claim else 'the rest'}"


def _places(claim: Claim, outcome: Outcome) -> str:
    """Return the places where a claim fails, which need attention; empty for other outcomes."""
    if outcome is not Outcome.FAILS:
        return ""
    found = [test for test in claim.tests if test.outcome is outcome]
    names = dict.fromkeys(place(test) or pair(claim, test) for test in found)
    return f" ({together(list(names), SPELLED)})"


def pair(claim: Claim, test: ClaimTest) -> str:
    """Return the rows of a test: `a over b`."""
    if test.other is None:
        return test.row
    word = {ClaimForm.ORDER: "over", ClaimForm.EQUAL: "and"}.get(claim.form, "to")
    return f"{test.row} {word} {test.other}"


def place(test: ClaimTest) -> str:
    """Return the problem of a test; empty if there is one problem."""
    return text(test.problem, list(test.problem))


def _tested(run: Run, claim: Claim, test: ClaimTest) -> str:
    """Return one test with its numbers: `a over b on digits: 0.012 (0.003 to 0.021; adjusted p = 0.01)`."""
    where = f" on {place(test)}" if place(test) else ""
    return f"{pair(claim, test)}{where}: {_numbers(run, claim, test)}"


def _numbers(run: Run, claim: Claim, test: ClaimTest) -> str:
    if test.why is not None:
        return reason(test.why)
    unit = next((metric.unit for metric in run.metrics if metric.label == claim.metric), None)
    middle, ends = told(Estimate(test.estimate or 0.0, test.low, test.high), unit)
    leads = claim.form is ClaimForm.ORDER or (claim.lead and claim.form not in PAIRED)
    said = f"{'lead ' if leads else ''}{middle}{ends and f', {ends}'}"
    return said if test.p is None else f"{said}; {adjusted(test.p)}"


def _unit(run: Run, claim: Claim) -> str:
    unit = next((metric.unit for metric in run.metrics if metric.label == claim.metric), None)
    return f" {unit}" if unit else ""
