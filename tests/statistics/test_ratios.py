"""Ratios of times: the interval covers, the test is exact, outliers do not decide. Oracles: enumeration and simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from harness.statistics import ratios
from harness.statistics.paired import Sample


def test_the_centre_is_the_trimmed_geometric_mean_of_block_ratios() -> None:
    slow, fast = np.array([2.0, 2.2, 9.0, 2.1, 1.9]), np.array([1.0, 1.1, 1.0, 1.0, 1.0])
    found = ratios.difference(Sample(slow), Sample(fast))
    middle = sorted(np.log(slow / fast))[1:-1]
    unit = math.exp(np.mean(sorted(np.log(fast))[1:-1]))
    assert found.difference == pytest.approx(unit * (math.exp(np.mean(middle)) - 1), rel=1e-12)
    assert ratios.as_ratio(found, Sample(fast))[0] == pytest.approx(math.exp(np.mean(middle)), rel=1e-12)


def test_p_is_that_of_all_sign_flips() -> None:
    logs = np.array([0.3, 0.1, -0.05, 0.2, 0.12, 0.4, -0.01])
    found = ratios.difference(Sample(np.exp(logs)), Sample(np.ones(7)))
    flips = [np.multiply(signs, logs) for signs in itertools.product([1, -1], repeat=7)]
    as_far = [abs(stats.trim_mean(flip, 0.2)) >= abs(stats.trim_mean(logs, 0.2)) - 1e-12 for flip in flips]
    assert found.p == pytest.approx(np.mean(as_far), abs=1e-12)


def test_equal_contenders_under_noise_with_heavy_tails_are_told_apart_no_more_often_than_alpha() -> None:
    draw = np.random.default_rng(1)
    noise = np.exp(0.02 * draw.standard_t(1.5, (2, 100, 16)))
    ps = [ratios.difference(Sample(one), Sample(other)).p for one, other in zip(*noise, strict=True)]
    rejected = sum(p is not None and p <= 0.05 for p in ps)
    assert rejected <= stats.binom.isf(1e-4, 100, 0.05)


def test_the_interval_covers_and_a_true_difference_is_found() -> None:
    draw = np.random.default_rng(2)
    covered = found = 0
    for _ in range(40):
        disturbed = np.exp(np.abs(draw.standard_normal(40)))
        one, other = (disturbed * np.exp(0.02 * draw.standard_normal(40)) for _ in range(2))
        each = ratios.difference(Sample(1.1 * one), Sample(other))
        _, low, high = ratios.as_ratio(each, Sample(other))
        covered += low <= 1.1 <= high
        found += each.p is not None and each.p <= 0.05
    assert found == 40, "the disturbance of a block is shared and goes out"
    assert covered >= stats.binom.isf(1 - 1e-4, 40, 0.9)


def test_a_block_far_out_is_labelled_and_kept() -> None:
    values = [1.0, 1.01, 0.99, 1.0, 1.02, 0.98, 1.0, 5.0]
    found = ratios.spread(values)
    assert found.outliers == (7,) and found.quartiles == tuple(np.quantile(values, [0.25, 0.5, 0.75]))
    assert ratios.spread([math.nan]).outliers == ()


def test_too_few_blocks_have_no_test_and_equal_ones_p_1() -> None:
    assert ratios.difference(Sample([2.0]), Sample([1.0])).p is None
    same = ratios.difference(Sample([1.0] * 6), Sample([1.0] * 6))
    assert (same.p, same.difference, same.low, same.high) == (1.0, 0.0, 0.0, 0.0)
    lost = ratios.difference(Sample([2.0, math.nan, 2.0]), Sample([1.0, 1.0, 1.0]))
    assert (lost.pairs, lost.dropped) == (2, 1)


def test_times_that_no_block_pairs_are_compared_by_trimmed_means_of_their_logarithms() -> None:
    """By scipy's own Welch test of what a 20 % trim leaves, and an outlier does not decide."""
    draw = np.random.default_rng(3)
    one, other = np.exp(0.05 * draw.standard_normal(15)) * 1.1, np.exp(0.05 * draw.standard_normal(10))
    calm = ratios.unpaired(Sample(one), Sample(other))
    oracle = stats.ttest_ind(np.log(one), np.log(other), equal_var=False, trim=0.2)
    assert calm.p == pytest.approx(oracle.pvalue)
    ratio, low, high = ratios.as_ratio(calm, Sample(other))
    ends = np.exp([oracle.confidence_interval().low, oracle.confidence_interval().high])
    assert (low, high) == pytest.approx(tuple(ends)) and low < 1.1 < high
    wild = ratios.unpaired(Sample([*one, 1000.0]), Sample([math.nan, *other]))
    assert ratios.as_ratio(wild, Sample(other))[0] == pytest.approx(ratio, rel=0.03)
    assert (wild.pairs, wild.dropped) == (10, 1)
    assert ratios.unpaired(Sample([2.0]), Sample([1.0])).p is None
    assert ratios.unpaired(Sample([2.0, 2.0]), Sample([1.0, 1.0])).p is None


def test_equal_times_of_two_runs_are_told_apart_no_more_often_than_alpha() -> None:
    draw = np.random.default_rng(4)
    noise = np.exp(0.02 * draw.standard_t(1.5, (2, 200, 16)))
    ps = [ratios.unpaired(Sample(one), Sample(other)).p for one, other in zip(*noise, strict=True)]
    assert sum(p is not None and p <= 0.05 for p in ps) <= stats.binom.isf(1e-4, 200, 0.05)
