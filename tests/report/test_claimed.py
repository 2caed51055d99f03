"""Claims in words: the test that is shown, and what would decide the rest."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from harness.analysis import analyse
from harness.report.claimed import nearest, result
from harness.results import Claim, Needed, Outcome, Run
from tests.helpers.analysis import measured

LEADS = {"one": 0.1, "two": 0.2, "three": 0.3}
ORDER = {
    "kind": "expected", "source": "a paper", "form": "order", "metric": "m",
    "points": [{"loss": "a"}, {"loss": "b"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def run() -> Run:
    """`b` is behind `a` by these leads, with noise of 0.001."""
    draw, cells = np.random.default_rng(3), []
    for problem, lead in LEADS.items():
        base = draw.normal(size=8)
        for name, mean in (("a", 0.0), ("b", lead)):
            values = (base + mean + draw.normal(size=8) * 0.001).tolist()
            vary = {"dataset": problem, "loss": name}
            cells.append(
                {"id": problem + name, "vary": vary, "status": "ok", "seeds": list(range(8)), "metrics": {"m": values}}
            )
    axes = {"dataset": list(LEADS), "loss": ["a", "b"]}
    metrics = [{"label": "m", "higher_is_better": False}]
    return analyse(measured({"metrics": metrics, "axes": axes, "contenders": ["loss"], "interval": "seeds", "claims": [ORDER], "cells": cells}))  # fmt: skip


def changed(run: Run, outcome: Outcome, problem: str, seeds: int | None = None) -> Claim:
    """The claim of the run, with another outcome on one problem."""
    tests = [
        dataclasses.replace(test, outcome=outcome, needed=Needed(seeds, None)) if problem in test.problem.values() else test
        for test in run.claims[0].tests
    ]  # fmt: skip
    return dataclasses.replace(run.claims[0], tests=tuple(tests))


def test_the_nearest_test_of_a_claim_that_holds_is_the_smallest_lead(run: Run) -> None:
    assert nearest(run, run.claims[0]).startswith("Nearest: a over b on one: lead 0.1")


def test_the_nearest_test_of_an_undecided_claim_is_undecided(run: Run) -> None:
    said = nearest(run, changed(run, Outcome.UNDECIDED, "three"))
    lead = re.match(r"Nearest: a over b on three: lead ([\d.]+), [\d.]+ to [\d.]+;", said)
    assert lead is not None and float(lead[1]) == pytest.approx(0.3, abs=0.002)


def test_the_test_that_fails_is_the_worst(run: Run) -> None:
    assert nearest(run, changed(run, Outcome.FAILS, "two")).startswith("Worst: a over b on two: lead 0.2")


@pytest.mark.parametrize(
    ("seeds", "said"),
    [(0, "; one more seed would decide it"), (1, "; one more seed would decide it"), (57, "; about 57 more seeds would decide it"),
     (1000, "; about 1,000 more seeds would decide it"), (1001, "; it needs more than 1,000 more seeds"), (None, "; more seeds alone would not decide it")],
)  # fmt: skip
def test_what_would_decide_a_claim_is_told_where_it_can_be_done(run: Run, seeds: int | None, said: str) -> None:
    claim = changed(run, Outcome.UNDECIDED, "three", seeds)
    assert result(run, claim) == f"undecided (holds in 2, undecided in 1 of 3 tests){said}"
