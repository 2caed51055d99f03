"""Statistics over problems, against other libraries, closed forms, brute force, and the coverage they promise."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from harness.statistics.pooled import improvement, interquartile_mean, mean_ranks, pooled


def drawn(k: int, spread: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    errors = rng.uniform(0.05, 0.5, k)
    return 0.3 + rng.normal(0, np.hypot(errors, spread)), errors


@pytest.mark.parametrize("k", [2, 3, 8, 20])
@pytest.mark.parametrize("spread", [0.01, 2.0])
def test_the_spread_solves_the_equation_of_paule_and_mandel(k: int, spread: float) -> None:
    """With the weights in the open, and the interval from them: Student's with k - 1 degrees of freedom."""
    d, e = drawn(k, spread)
    found = pooled(d, e)
    weights = 1 / (e**2 + found.spread**2)
    mean = (weights * d).sum() / weights.sum()
    q = (weights * (d - mean) ** 2).sum()
    assert q == pytest.approx(k - 1, rel=1e-6) if found.spread else q <= k - 1
    half = stats.t.ppf(0.975, k - 1) / math.sqrt(weights.sum())
    assert (found.effect, found.low, found.high) == pytest.approx((mean, mean - half, mean + half))
    assert found.p is not None
    assert (found.p <= 0.05) == (found.low > 0 or found.high < 0) and found.problems == k


def test_equal_errors_have_a_closed_form() -> None:
    """The mean, and the larger of the errors' own variance and that of the effects, over k."""
    for d in ([0.1, 0.2, 0.9, 0.4], [0.30, 0.31, 0.29, 0.30]):
        found = pooled(d, [0.1] * 4)
        assert found.effect == pytest.approx(np.mean(d))
        assert found.error == pytest.approx(max(0.1, float(np.std(d, ddof=1))) / 2)
        assert found.spread == pytest.approx(math.sqrt(max(0.0, np.var(d, ddof=1) - 0.01)))


def test_a_problem_without_an_error_makes_all_weigh_alike() -> None:
    d = [0.0, 0.2, 0.3]
    found, test = pooled(d, [0.0, 0.1, 0.2]), stats.ttest_1samp(d, 0)
    ends = test.confidence_interval()
    assert (found.effect, found.low, found.high, found.p) == pytest.approx(
        (np.mean(d), ends.low, ends.high, test.pvalue)
    )
    nothing = pooled([0.0] * 3, [0.0] * 3)
    assert (nothing.effect, nothing.low, nothing.high, nothing.p) == (0, 0, 0, 1)
    constant = pooled([0.1] * 4, [0.0] * 4)
    assert constant.effect == pytest.approx(0.1) and constant.p == pytest.approx(2.0**-3) and math.isnan(constant.low)


def test_one_problem_says_nothing_about_others() -> None:
    found = pooled([0.3], [0.1])
    assert found.effect == 0.3 and found.p is None and math.isnan(found.low)


@pytest.mark.verify
def test_statsmodels_agrees() -> None:
    """Where its iteration has converged, which its own tau^2 tells; its factor of Hartung and Knapp, never below 1."""
    from statsmodels.stats.meta_analysis import combine_effects  # type: ignore[import-untyped]

    compared = 0
    for k, spread, seed in itertools.product([2, 3, 5, 12], [0.01, 0.3, 2.0], range(10)):
        d, e = drawn(k, spread, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = combine_effects(d, e**2, method_re="iterated", use_t=True, atol=1e-12)
            ends = theirs.conf_int(use_t=True)[1]
        weights = 1 / (e**2 + theirs.tau2)
        q = float((weights * (d - theirs.mean_effect_re) ** 2).sum())
        if not (math.isclose(q, k - 1, rel_tol=1e-6) or (theirs.tau2 == 0 and q <= k - 1)):
            continue
        compared, found = compared + 1, pooled(d, e)
        assert found.spread**2 == pytest.approx(theirs.tau2, rel=1e-5, abs=1e-10)
        assert found.effect == pytest.approx(theirs.mean_effect_re, rel=1e-5)
        assert found.error == pytest.approx(max(theirs.sd_eff_w_re, theirs.sd_eff_w_re_hksj), rel=1e-5)
        assert (found.low, found.high) == pytest.approx(ends, rel=1e-4)
    assert compared > 80


@pytest.mark.verify
@pytest.mark.parametrize("k", [2, 3, 5, 10])
@pytest.mark.parametrize("spread", [0.0, 0.1, 1.0])
def test_intervals_cover_as_promised(k: int, spread: float) -> None:
    """Problems of unequal precision, whose errors are estimated from 8 seeds: 95 %, and more where few have no spread."""
    rng, hits, trials = np.random.default_rng(k), 0, 2000
    for _ in range(trials):
        scale = rng.uniform(0.1, 0.5, k)
        seeds = rng.normal(rng.normal(0.0, spread, k), scale, (8, k))
        found = pooled(seeds.mean(0), seeds.std(0, ddof=1) / math.sqrt(8))
        hits += found.low <= 0 <= found.high
    assert hits / trials >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / trials) - 0.01
    assert spread < 1 or hits / trials <= 0.97


def test_ranks_are_those_of_a_sort_and_share_ties() -> None:
    values = [[0.9, 0.8, 0.7], [0.5, 0.5, 0.1], [0.3, 0.4, 0.2]]
    assert mean_ranks(values, True).means.tolist() == pytest.approx([(1 + 1.5 + 2) / 3, (2 + 1.5 + 1) / 3, 3])
    assert mean_ranks(values, False).means.tolist() == pytest.approx([(3 + 2.5 + 2) / 3, (2 + 2.5 + 3) / 3, 1])
    assert mean_ranks(np.ones((4, 3)), True).p == 1 and mean_ranks([[1, 2], [2, 1]], True).p is None


def test_friedman_has_the_formula_of_its_paper() -> None:
    values = np.random.default_rng(0).normal(size=(12, 4))
    found = mean_ranks(values, True)
    n, k = values.shape
    chi = 12 * n / (k * (k + 1)) * ((found.means - (k + 1) / 2) ** 2).sum()
    assert found.p == pytest.approx(stats.chi2.sf(chi, k - 1))


def test_critical_differences_are_those_of_demsar() -> None:
    """q_0.05 of his Table 5 (2006), for 2 to 10 contenders."""
    table = (1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164)
    for k, q in zip(range(2, 11), table, strict=True):
        found = mean_ranks(np.arange(5 * k).reshape(5, k), True)
        assert found.critical_difference == pytest.approx(q * math.sqrt(k * (k + 1) / 30), abs=2e-3)


@pytest.mark.verify
def test_scikit_posthocs_tells_the_same_pairs_apart() -> None:
    from scikit_posthocs import posthoc_nemenyi_friedman  # type: ignore[import-untyped]

    rng = np.random.default_rng(0)
    for _ in range(10):
        values = rng.normal(np.arange(5) * 0.6, 1, (12, 5))
        found = mean_ranks(values, True)
        apart = np.abs(np.subtract.outer(found.means, found.means)) > found.critical_difference
        assert np.array_equal(apart, np.asarray(posthoc_nemenyi_friedman(values)) < 0.05)


def test_an_interquartile_mean_is_that_of_the_middle_half() -> None:
    scores = np.random.default_rng(0).normal(size=(4, 10))
    found = interquartile_mean(scores)
    assert found.value == pytest.approx(np.sort(scores.ravel())[10:30].mean())
    assert found.low < found.value < found.high
    assert math.isnan(interquartile_mean([[1.0], [2.0]]).low)


def test_problems_are_strata_of_the_bootstrap() -> None:
    """Problems far apart, without noise within them: drawing seeds again changes nothing, drawing problems would."""
    constant = np.repeat([[0.1], [0.5], [0.6], [0.9]], 5, axis=1)
    found = interquartile_mean(constant)
    assert found.low == found.high == found.value == pytest.approx(0.55)
    chance = improvement([[1.0] * 4, [0.0] * 4], [[0.0] * 4, [1.0] * 4], True)
    assert (chance.value, chance.low, chance.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_improvement_counts_pairs(higher_is_better: bool) -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 4, (2, 3, 6)).astype(float)
    sign = 1 if higher_is_better else -1
    shares = []
    for x, y in zip(one, other, strict=True):
        pairs = [(sign * (a - b) > 0) + 0.5 * (a == b) for a, b in itertools.product(x, y)]
        statistic = stats.mannwhitneyu(sign * x, sign * y).statistic / 36
        shares.append(np.mean(pairs))
        assert shares[-1] == pytest.approx(statistic)
    found = improvement(list(one), list(other), higher_is_better)
    assert found.value == pytest.approx(np.mean(shares)) and found.low < found.value < found.high


def test_the_interval_of_improvement_is_that_of_a_plain_bootstrap() -> None:
    """Drawn seed by seed, for both contenders together: equal to the accuracy of its draws."""
    rng = np.random.default_rng(1)
    one, other = rng.normal(0.3, 1, (2, 12)), rng.normal(0, 1, (2, 12))
    found = improvement(list(one), list(other), True)
    draws = []
    for _ in range(2000):
        seeds = rng.integers(12, size=(2, 12))
        pairs = zip(one, other, seeds, strict=True)
        draws.append(np.mean([(x[s][:, None] > y[s][None, :]).mean() for x, y, s in pairs]))
    ties = np.quantile(draws, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx(ties, abs=0.025)


@pytest.mark.verify
def test_intervals_of_improvement_cover() -> None:
    """Normal runs on two problems, whose chance is known: Phi(shift / sqrt 2)."""
    rng, hits, trials = np.random.default_rng(0), 0, 400
    truth = float(np.mean(stats.norm.cdf(np.array([0.2, 0.8]) / math.sqrt(2))))
    for _ in range(trials):
        one, other = rng.normal([[0.2], [0.8]], 1, (2, 24)), rng.normal(0, 1, (2, 24))
        found = improvement(list(one), list(other), True)
        hits += found.low <= truth <= found.high
    assert 0.90 <= hits / trials <= 0.985


def test_many_seeds_have_values_without_intervals() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(0.3, 1, (2, 100_000)), rng.normal(0.0, 1, (2, 100_000))
    found = improvement([*one], [*other], True)
    assert found.value == pytest.approx(stats.norm.cdf(0.3 / math.sqrt(2)), abs=0.005) and math.isnan(found.low)
    assert math.isnan(interquartile_mean(one).low)


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_improvement_is_that_of_scipy(higher_is_better: bool) -> None:
    x, y = np.random.default_rng(1).integers(0, 4, (2, 40)).astype(float)
    first, second = (x, y) if higher_is_better else (y, x)
    wanted = stats.mannwhitneyu(first, second).statistic / 1600
    assert improvement([x], [y], higher_is_better).value == pytest.approx(wanted)
