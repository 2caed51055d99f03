"""Reasons and issues in words: every kind has a sentence, which says what the data says."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from harness.report.words import blocks, issue, reason
from harness.results import Blocks, Issue, IssueKind, Reason, ReasonKind, Status, StopReason, Weakness

WHY: dict[str, Any] = {"name": "NAME", "text": "TEXT", "status": Status.CRASHED, "count": 3, "total": 8}
ABOUT: dict[str, Any] = {
    "rows": ("ROW", "OTHER"),
    "metric": "METRIC",
    "problem": "PROBLEM",
    "name": "NAME",
    "side": "SIDE",
}
ABOUT |= {"before": "OLD", "after": "NEW", "value": 0.25, "bound": 4.0, "p": 0.0123, "count": 3, "total": 8}


@pytest.mark.parametrize("kind", ReasonKind)
def test_every_kind_of_reason_has_words_of_its_own(kind: ReasonKind) -> None:
    said = reason(Reason(kind, **WHY))
    others = {reason(Reason(other, **WHY)) for other in ReasonKind if other is not kind}
    assert said and said not in others and "None" not in said and "{" not in said
    assert "None" not in reason(Reason(kind, name="x", status=Status.OOM, count=1, total=2))  # nothing was said


@pytest.mark.parametrize("kind", IssueKind)
def test_every_kind_of_issue_has_words_of_its_own(kind: IssueKind) -> None:
    def said(kind: IssueKind) -> str:
        about = ABOUT | ({"name": Weakness.LOAD.value} if kind is IssueKind.WEAK_TIMING else {})
        return issue(Issue(kind, **about))

    others = {said(other) for other in IssueKind if other is not kind}
    assert said(kind) and said(kind) not in others and "None" not in said(kind) and "{" not in said(kind)


@pytest.mark.parametrize("name", Weakness)
def test_every_weakness_of_a_timing_has_words(name: Weakness) -> None:
    said = issue(Issue(IssueKind.WEAK_TIMING, rows=("ROW",), name=name, value=0.25, bound=4.0))
    assert re.fullmatch(r"timed [^{]+: ROW", said)


@pytest.mark.parametrize("stop", StopReason)
def test_every_end_of_a_measurement_has_words(stop: StopReason) -> None:
    assert re.fullmatch(r"blocks: 14 after 3 to warm up; [^{]+", blocks(Blocks(14, 3, stop, 0.01)))


def test_words_say_what_the_data_says() -> None:
    """By what the descriptions of the kinds promise: every field that is named there is in the sentence."""
    for kind, words in ((ReasonKind.NOT_FINITE, "38"), (ReasonKind.DROPPED, "38"), (ReasonKind.SPREAD_UNKNOWN, "3")):
        assert "".join(re.findall(r"\d", reason(Reason(kind, **WHY)))) == words
    for kind in (ReasonKind.NO_ROW, ReasonKind.NO_PARTNER, ReasonKind.BASELINE_LACKS, ReasonKind.ROW_LACKS):
        assert "NAME" in reason(Reason(kind, **WHY))
    assert "NAME crashed: TEXT" in reason(Reason(ReasonKind.ARTIFACT, **WHY))
    for kind in (ReasonKind.BASELINE_ENDED, ReasonKind.ROW_ENDED, ReasonKind.NOT_CONFIRMED):
        cause = Reason(ReasonKind.ARTIFACT, **WHY)
        assert reason(cause) in reason(Reason(kind, status=Status.SKIPPED, cause=cause))
    found = issue(Issue(IssueKind.CONTROL_OFF, **{**ABOUT, "rows": ("ROW",)}))
    assert found == (
        "METRIC is not to be trusted on PROBLEM: the control ROW has 0.25, "
        "where a perfect sampler has 4 (adjusted p = 0.012)"
    )
    assert issue(Issue(IssueKind.FEW_SEEDS, count=2)).startswith("2 seeds: 1 degree of freedom, ")
    assert issue(Issue(IssueKind.CHANGED, name="torch", after="2.6")) == "torch: none before, 2.6 after"


def test_many_rows_are_counted() -> None:
    rows = tuple("abcdefgh")
    assert issue(Issue(IssueKind.TUNING_EDGE, name="lr", rows=rows, side="largest", value=1.0)) == (
        "the tuned lr is the largest that was tried (1) for a, b, c, d and 4 more: widen the grid"
    )
    assert issue(Issue(IssueKind.ONLY_IN_ONE, rows=rows, side="before")) == "only before: a, b, c, d, e, f and 2 more"


def test_an_issue_is_data_alone() -> None:
    """No field of a reason or an issue is a sentence of the harness: all its words come from its kind."""
    assert {each.name for each in dataclasses.fields(Reason)} == {"kind", "cause", *WHY}
    assert {each.name for each in dataclasses.fields(Issue)} == {"kind", *ABOUT}
