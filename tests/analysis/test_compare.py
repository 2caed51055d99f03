"""harness.compare: the statistics of a suite on two arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import harness
from harness import BenchError
from harness.report.words import reason


def test_scores_by_seed_are_compared_by_the_paired_t_test() -> None:
    draw = np.random.default_rng(0)
    b = draw.normal(size=12)
    a = b + 0.3 + 0.2 * draw.normal(size=12)
    found, expected = harness.compare(a, b), stats.ttest_rel(a, b)
    low, high = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-12)
    assert (found.difference, found.low, found.high) == pytest.approx(((a - b).mean(), low, high), rel=1e-12)
    assert found.verdict == "better" and found.interval == "seeds"
    assert harness.compare(a, b, higher_is_better=False).verdict == "worse"
    assert harness.compare(b, a).verdict == "worse" and harness.compare(b, a).p == found.p


def test_the_level_is_that_of_interval_and_test() -> None:
    draw = np.random.default_rng(1)
    a, b = draw.normal(size=(2, 9))
    wide, narrow = (harness.compare(a, b, level=level) for level in (0.99, 0.5))
    low, high = stats.ttest_rel(a, b).confidence_interval(0.99)
    assert (wide.low, wide.high) == pytest.approx((low, high))
    p = wide.p or 0
    assert harness.compare(a, b, level=1 - p * 1.01).verdict != "undecided"
    assert harness.compare(a, b, level=1 - p * 0.99).verdict == "undecided"
    assert (narrow.low or 0) > (wide.low or 0)


def test_scores_by_example_carry_the_finite_test_set_too() -> None:
    """The same test set at every seed: seeds alone would be sure of a difference of these very examples."""
    draw = np.random.default_rng(2)
    examples = draw.normal(size=40)  # how much better `a` is on each, the same at every seed
    b = draw.normal(size=(30, 40))
    a = b + examples + 0.01 * draw.normal(size=b.shape)
    both, seeds = harness.compare(a, b), harness.compare(a.mean(1), b.mean(1))
    assert both.interval == "both" and seeds.interval == "seeds"
    assert both.high is not None and both.low is not None and seeds.high is not None and seeds.low is not None
    assert both.high - both.low > 10 * (seeds.high - seeds.low)
    half = stats.t.ppf(0.975, 29) * examples.std(ddof=1) / 40**0.5
    assert (both.high - both.low) / 2 == pytest.approx(half, rel=0.05)


def test_a_margin_shows_equivalence_and_needed_says_what_would_decide() -> None:
    draw = np.random.default_rng(3)
    b = draw.normal(size=20)
    a = b + 0.05 * draw.normal(size=20)
    assert harness.compare(a, b).verdict == "undecided"
    assert harness.compare(a, b, margin=0.2).verdict == "equivalent"
    assert harness.compare(a, b, margin=1e-6).verdict == "undecided"
    more = harness.compare(a, b).needed.seeds
    assert more is None or more > 0


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([1.0, 2.0], [1.0], "of one shape"),
        ([], [], "of one shape"),
        ([[[1.0]]], [[[1.0]]], "of one shape"),
        ([float("nan")] * 2, [1.0, 2.0], "no seed has a finite score"),
        ([0.5, "a"], [1.0, 2.0], "compare: a: expected numbers, got 'a'"),
        ([1.0, 2.0], [1.0, {}], "compare: b: expected numbers, got {}"),
        ([[1.0], [1.0, 2.0]], [1.0, 2.0], "compare: a: expected numbers, got .*inhomogeneous"),
    ],
)
def test_what_cannot_be_compared_is_refused(a: Any, b: Any, said: str) -> None:
    with pytest.raises(BenchError, match=said):
        harness.compare(a, b)


def test_seeds_without_a_finite_score_are_left_out_and_counted() -> None:
    a, b = [1.0, 2.0, 4.0, float("nan"), 3.0], [0.5, 1.0, 2.0, 1.0, float("inf")]
    found, whole = harness.compare(a, b), harness.compare(a[:3], b[:3])
    assert (found.difference, found.p, found.partial) == (whole.difference, whole.p, True)
    assert found.why is not None and (found.why.count, found.why.total) == (2, 5) and whole.why is None
    assert reason(found.why) == "2 of 5 seeds left out: one of the two rows has no value there"


def test_one_seed_has_no_verdict() -> None:
    found = harness.compare([1.0], [2.0])
    assert (found.verdict, found.p, found.difference) == (None, None, -1.0)
