"""Equal to rounding or not: both sides of the line, by exact arithmetic on the values."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

import harness
from harness.results import Verdict
from harness.statistics import ratios
from harness.statistics.paired import ROUNDING, Sample, difference
from harness.statistics.unpaired import unpaired

BASE = np.random.default_rng(0).uniform(0.5, 1.0, 8)


def test_the_share_is_four_units_in_the_last_place_of_float32() -> None:
    assert ROUNDING == 4 * np.finfo(np.float32).eps == 4 * np.spacing(np.float32(1))


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e9])
def test_the_same_numbers_computed_in_another_order_in_float32_are_identical(scale: float) -> None:
    """Oracle: sums of float32 in two orders, which round differently, and the exact sum, which is one number."""
    rng = np.random.default_rng(1)
    parts = (rng.random((8, 16)) * scale).astype(np.float32)
    forwards, backwards = (np.add.accumulate(p, axis=1, dtype=np.float32)[:, -1] for p in (parts, parts[:, ::-1]))
    assert (forwards != backwards).any()
    assert sum(map(Fraction, parts[0].tolist())) == sum(map(Fraction, parts[0, ::-1].tolist()))
    found = difference(Sample(forwards), Sample(backwards))
    assert found.identical and (found.difference, found.low, found.high, found.error) == (0, 0, 0, 0)


def test_counts_in_float64_over_100000_examples_that_differ_by_one_are_not() -> None:
    """One more of 100,000 at a tenth of the seeds: a mean difference of 1e-6; p is that of scipy's paired t test."""
    right = np.random.default_rng(2).integers(90_000, 95_000, 40)
    more = right + (np.arange(40) % 10 == 0)
    found = difference(Sample(more / 100_000), Sample(right / 100_000))
    oracle = stats.ttest_rel(more / 100_000, right / 100_000)
    assert found.difference == pytest.approx(1e-6) and not found.identical
    assert (found.p, found.error) == pytest.approx((oracle.pvalue, 1e-5 * stats.sem(np.arange(40) % 10 == 0)))


@pytest.mark.parametrize("seeds", [100, 400])
def test_a_mean_difference_below_rounding_is_tested_if_single_differences_are_not_rounding(seeds: int) -> None:
    right = np.full(seeds, 97_000) + np.arange(seeds) % 7
    more = right + (np.arange(seeds) == 3)
    found = difference(Sample(more / 100_000), Sample(right / 100_000))
    assert 0 < found.difference < ROUNDING and not found.identical
    assert found.p == pytest.approx(stats.ttest_rel(more, right).pvalue)


def test_a_constant_difference_of_1e_6_in_a_metric_near_1_is_a_difference() -> None:
    found = harness.compare(BASE + 1e-6, BASE)
    assert (found.verdict, found.p) == (Verdict.BETTER, 2.0**-7)
    assert found.difference == pytest.approx(1e-6)


@pytest.mark.parametrize("shift", [0.0, 1e-9, -2e-7])
def test_equal_scores_are_identical_in_harness_compare(shift: float) -> None:
    found = harness.compare(BASE + shift, BASE, margin=0.1)
    assert found.verdict is Verdict.IDENTICAL
    assert (found.difference, found.low, found.high, found.p, found.p_holm) == (0, 0, 0, None, None)


def test_equal_means_of_other_examples_are_not_identical() -> None:
    """Both are right 50 times of 100 at every seed, on other examples: the finite test set leaves an interval."""
    a, b = (np.tile(np.roll(np.repeat([1.0, 0.0], 50), k), (4, 1)) for k in (0, 25))
    found = harness.compare(a, b)
    assert found.verdict is Verdict.UNDECIDED and found.low is not None and found.low < 0
    assert harness.compare(a, a).verdict is Verdict.IDENTICAL


def test_a_seed_that_is_finite_in_one_alone_is_no_equal_pair() -> None:
    broken = np.where(np.arange(8) == 3, math.nan, BASE)
    assert not difference(Sample(broken), Sample(BASE)).identical
    assert difference(Sample(broken), Sample(broken)).identical


def test_a_resolution_extends_what_is_rounding() -> None:
    tiny = np.random.default_rng(3).uniform(1e-15, 1e-14, (2, 8))
    assert not difference(Sample(tiny[0]), Sample(tiny[1])).identical
    assert difference(Sample(tiny[0], None, 2e-14), Sample(tiny[1])).identical
    assert not difference(Sample(tiny[0], None, 1e-16), Sample(tiny[1])).identical


def test_ratios_and_unpaired_values_that_are_equal_are_identical() -> None:
    found = ratios.difference(Sample(BASE), Sample(BASE * (1 + 1e-8)))
    assert found.identical and (found.difference, found.low, found.high) == (0, 0, 0)
    assert not ratios.difference(Sample(BASE * 1.001), Sample(BASE)).identical
    assert unpaired(Sample([10.0] * 3), Sample([10.0] * 5)).identical
    assert not unpaired(Sample([10.0] * 3), Sample([10.0, 10.0, 11.0])).identical
    assert not unpaired(Sample([10.0] * 3), Sample([11.0] * 3)).identical
