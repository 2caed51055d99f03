"""Every number against another way to get it: scipy's paired tests, loops by definition, mean squares, Monte Carlo."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

from harness.errors import BenchError
from harness.statistics.paired import Difference, Sample, difference, holm, interval, needed, same

Array = NDArray[np.float64]


def crossed(rng: np.random.Generator, shape: tuple[int, int], sizes: tuple[float, float, float]) -> Array:
    """Results [seed, example] with effects of seed, example and both, of the given standard deviations."""
    shapes = ((shape[0], 1), (1, shape[1]), shape)
    by_seed, by_example, by_both = (size * rng.standard_normal(n) for size, n in zip(sizes, shapes, strict=True))
    result: Array = by_seed + by_example + by_both
    return result


def sample(values: Array, ids: NDArray[np.int64] | None = None) -> Sample:
    numbers = np.broadcast_to(np.arange(values.shape[1]), values.shape) if ids is None else ids
    return Sample(values.mean(1), (values, numbers))


def pair(seed: int, shape: tuple[int, int] = (6, 9), shift: float = 0.3) -> tuple[Sample, Sample]:
    rng = np.random.default_rng(seed)
    return sample(crossed(rng, shape, (0.5, 1.0, 1.0)) + shift), sample(crossed(rng, shape, (0.5, 1.0, 1.0)))


def by_definition(values: Array, ids: NDArray[np.int64]) -> dict[str, float]:
    """Variances of the mean of values [seed, m], clustered by plain loops over clusters."""
    entries = [(s, int(ids[s, i]), values[s, i]) for s in range(values.shape[0]) for i in range(values.shape[1])]
    mean = sum(value for *_, value in entries) / len(entries)
    found = {}
    for kind, key in {"seeds": 0, "examples": 1}.items():
        clusters = {entry[key] for entry in entries}
        squares = 0.0
        for cluster in clusters:
            squares += sum(entry[2] - mean for entry in entries if entry[key] == cluster) ** 2
        found[kind] = squares / len(entries) ** 2 * len(clusters) / (len(clusters) - 1)
    seeds, examples = len({entry[0] for entry in entries}), len({entry[1] for entry in entries})
    cell = sum((entry[2] - mean) ** 2 for entry in entries) / len(entries) ** 2
    plain = found["seeds"] * (seeds - 1) / seeds + found["examples"] * (examples - 1) / examples - cell
    two_way = plain * seeds / (seeds - 1) * examples / (examples - 1)
    return found | {"both": max(two_way, found["seeds"], found["examples"]), "two_way": two_way}


def test_over_seeds_it_is_the_paired_t_test_of_scipy() -> None:
    x, y = pair(0)
    oracle = stats.ttest_rel(x.values, y.values)
    bounds = oracle.confidence_interval(0.95)
    found = difference(x, y, "seeds")
    assert (found.p, found.low, found.high) == pytest.approx((oracle.pvalue, bounds.low, bounds.high), rel=1e-12)
    assert difference(Sample(x.values), Sample(y.values), "both").p == pytest.approx(oracle.pvalue, rel=1e-12)


def test_one_seed_leaves_the_paired_t_test_over_examples() -> None:
    x, y = pair(1, (1, 30))
    assert x.units is not None and y.units is not None
    oracle = stats.ttest_rel(np.ravel(x.units[0]), np.ravel(y.units[0]))
    found = difference(x, y, "both")
    assert found.kind == "examples"
    assert found.p == pytest.approx(oracle.pvalue, rel=1e-12)
    assert difference(x, y, "seeds").p is None
    assert difference(Sample([1.0]), Sample([2.0])).p is None
    assert interval(x).kind == "examples" and math.isnan(interval(x, "seeds").low)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["both", "seeds", "examples"])
@pytest.mark.parametrize("split", ["fixed", "resampled"])
def test_variance_equals_the_sum_over_clusters_by_definition(seed: int, kind: str, split: str) -> None:
    rng = np.random.default_rng(seed)
    seeds, kept, table = 5, 7, 7 if split == "fixed" else 12
    ids = np.array([rng.permutation(table)[:kept] for _ in range(seeds)])
    effects = [rng.standard_normal(table)[ids] + crossed(rng, (seeds, kept), (0.4, 0, 1)) for _ in range(2)]
    x, y = (sample(values, ids) for values in effects)
    oracle = by_definition(effects[0] - effects[1], ids)[kind]
    clusters = {"seeds": seeds, "examples": len(np.unique(ids)), "both": min(seeds, len(np.unique(ids)))}[kind]
    found = difference(x, y, kind)
    assert found.error**2 == pytest.approx(oracle, rel=1e-12)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.difference) / math.sqrt(oracle), clusters - 1), rel=1e-9)
    half = stats.t.ppf(0.975, clusters - 1) * math.sqrt(oracle)
    assert (found.low, found.high) == pytest.approx((found.difference - half, found.difference + half), rel=1e-9)
    alone = interval(x, kind)
    spread = math.sqrt(by_definition(effects[0], ids)[kind]) * stats.t.ppf(0.975, clusters - 1)
    assert (alone.mean, alone.high - alone.mean) == pytest.approx((effects[0].mean(), spread), rel=1e-9)


def test_on_a_fixed_test_set_it_is_the_estimate_from_mean_squares() -> None:
    """(MS_seed + MS_example - MS_residual) / (S m): the unbiased estimate of two-way analysis of variance."""
    values = crossed(np.random.default_rng(2), (8, 20), (0.7, 1.0, 1.5))
    seeds, examples = values.shape
    rows, columns = values.mean(1, keepdims=True), values.mean(0, keepdims=True)
    residual = ((values - rows - columns + values.mean()) ** 2).sum() / ((seeds - 1) * (examples - 1))
    squares = examples * rows.var(ddof=1) + seeds * columns.var(ddof=1) - residual
    found = difference(sample(values), sample(np.zeros_like(values)))
    assert found.error**2 == pytest.approx(squares / values.size, rel=1e-12)


def test_never_below_either_part() -> None:
    """Results whose seed and example effects cancel make the two-way sum smaller than its parts, even negative."""
    values = np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]])
    ids = np.broadcast_to(np.arange(2), values.shape)
    oracle = by_definition(values, ids)
    assert oracle["two_way"] < oracle["examples"]
    found = difference(sample(values), sample(np.zeros_like(values)))
    assert found.error**2 == pytest.approx(max(oracle["seeds"], oracle["examples"]), rel=1e-12)


def test_jackknife_pseudo_values_give_only_the_variance() -> None:
    """One seed, the metric sqrt(mean): the interval is the delete-one jackknife's, around the metric itself."""
    data = np.random.default_rng(3).exponential(size=40)
    metric = math.sqrt(data.mean())
    left_out = np.array([math.sqrt(np.delete(data, i).mean()) for i in range(len(data))])
    pseudo = len(data) * metric - (len(data) - 1) * left_out
    variance = (len(data) - 1) / len(data) * ((left_out - left_out.mean()) ** 2).sum()
    found = interval(Sample([metric], (pseudo[None], np.arange(len(data))[None])))
    half = stats.t.ppf(0.975, len(data) - 1) * math.sqrt(variance)
    assert (found.mean, found.low, found.high) == pytest.approx((metric, metric - half, metric + half), rel=1e-9)
    assert abs(pseudo.mean() - metric) > 1e-4  # the pseudo-values' own mean is another number


def test_units_are_paired_by_number_not_by_place() -> None:
    rng = np.random.default_rng(4)
    ids = np.array([rng.permutation(30)[:8] for _ in range(5)])
    x, y = rng.standard_normal((2, 5, 8))
    order = np.array([rng.permutation(8) for _ in range(5)])
    moved = Sample(y.mean(1), (np.take_along_axis(y, order, 1), np.take_along_axis(ids, order, 1)))
    aligned, direct = difference(sample(x, ids), moved), difference(sample(x, ids), sample(y, ids))
    assert dataclasses.astuple(aligned) == pytest.approx(dataclasses.astuple(direct))


def test_examples_that_only_one_sample_has_do_not_count() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((2, 4, 10))
    names = np.broadcast_to(np.arange(3, 13), (4, 10))
    found = difference(sample(x), sample(y, names))
    oracle = by_definition(x[:, 3:] - y[:, :-3], names[:, :-3])
    assert found.examples == 7
    assert found.by_examples == pytest.approx(oracle["examples"], rel=1e-12)


def rows(sample: Sample, keep: list[int]) -> Sample:
    assert sample.units is not None
    return Sample(
        np.asarray(sample.values)[keep], (np.asarray(sample.units[0])[keep], np.asarray(sample.units[1])[keep])
    )


def test_diverged_seeds_are_dropped_in_pairs_and_counted() -> None:
    x, y = pair(6)
    broken = Sample(np.where(np.arange(6) == 2, math.nan, x.values), x.units)
    other = Sample(np.where(np.arange(6) == 4, math.inf, y.values), y.units)
    keep = [0, 1, 3, 5]
    found, oracle = difference(broken, other), difference(rows(x, keep), rows(y, keep))
    assert (found.pairs, found.dropped) == (4, 2)
    assert dataclasses.replace(found, dropped=0) == oracle
    assert interval(broken).mean == pytest.approx(np.delete(x.values, 2).mean())
    nothing = difference(Sample([math.nan] * 3), Sample([1.0] * 3))
    assert nothing.p is None and math.isnan(nothing.difference) and nothing.dropped == 3


@pytest.mark.parametrize("kind", ["both", "seeds", "examples"])
def test_identical_methods_have_p_one_and_no_width(kind: str) -> None:
    x, _ = pair(7)
    found = difference(x, x, kind)
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert needed(found) == needed(dataclasses.replace(found, p=None))


def test_a_constant_difference_claims_no_more_than_its_signs() -> None:
    base = np.array([0.97, 0.96, 0.98, 0.95, 0.99, 0.94, 0.93, 0.92])  # float rounding must not pass for a spread
    for seeds in (2, 5, 8):
        found = difference(Sample(base[:seeds] + 0.01), Sample(base[:seeds]))
        signs = stats.permutation_test(([0.01] * seeds,), np.sum, permutation_type="samples", n_resamples=math.inf)
        assert found.p == pytest.approx(signs.pvalue)
        assert math.isnan(found.low) == (signs.pvalue > 0.05)
    more = needed(difference(Sample(base[:5] + 0.01), Sample(base[:5])), alpha=0.01)
    assert 2.0 ** (1 - 5 - (more.seeds or 0)) <= 0.01 < 2.0 ** (2 - 5 - (more.seeds or 0))


def test_a_metric_that_is_a_constant_of_each_method_is_certain() -> None:
    found = difference(Sample([10.0] * 3), Sample([20.0] * 3))
    assert (found.difference, found.low, found.high, found.p) == (-10, -10, -10, 0)
    assert difference(Sample([10.0]), Sample([20.0])).p is None


def test_float32_rounding_is_not_a_difference() -> None:
    base = np.random.default_rng(8).random(6)
    found = difference(Sample(base.astype(np.float32)), Sample(base))
    assert found.p == 1


@pytest.mark.parametrize("kind", ["both", "seeds", "examples"])
def test_swapping_the_two_only_changes_the_sign(kind: str) -> None:
    x, y = pair(9)
    there, back = difference(x, y, kind), difference(y, x, kind)
    assert (there.difference, there.low, there.high) == pytest.approx((-back.difference, -back.high, -back.low))
    assert there.p is not None and (there.p, there.error) == pytest.approx((back.p, back.error))
    assert needed(there) == needed(back)


def test_both_is_never_more_certain_than_seeds_or_examples() -> None:
    for seed in range(50):
        x, y = pair(seed, (4, 30))
        errors = {kind: difference(x, y, kind).error for kind in ("both", "seeds", "examples")}
        assert errors["both"] >= max(errors.values())


def holm_by_definition(ps: list[float], level: float) -> set[int]:
    """Rejections of the sequential procedure, one at a time."""
    left, rejected = dict(enumerate(ps)), set()
    while left and min(left.values()) <= level / len(left):
        index = min(left, key=lambda i: left[i])
        rejected.add(index)
        del left[index]
    return rejected


def random_ps() -> Iterator[list[float]]:
    rng = np.random.default_rng(10)
    for size in range(1, 9):
        for _ in range(20):
            yield list(rng.random(size) ** 4)


def test_holm_rejects_what_the_sequential_procedure_rejects() -> None:
    for ps in random_ps():
        adjusted = holm(ps)
        for level in (0.01, 0.05, 0.2):
            assert {i for i, p in enumerate(adjusted) if p is not None and p <= level} == holm_by_definition(ps, level)


def test_holm_keeps_the_order_never_lowers_a_p_and_ignores_what_is_no_test() -> None:
    for ps in random_ps():
        adjusted = holm(ps)
        pairs = sorted(zip(ps, adjusted, strict=True))
        assert [q for _, q in pairs] == sorted(q for q in adjusted if q is not None)
        assert all(p <= q <= 1 for p, q in pairs if q is not None)
        assert holm([None, *ps, None]) == [None, *adjusted, None]
        assert holm(ps[::-1]) == adjusted[::-1]
    assert holm([]) == []


@pytest.mark.parametrize("margin", [0.1, 0.5, 2.0])
def test_same_is_the_worse_of_two_one_sided_tests(margin: float) -> None:
    x, y = pair(11, (12, 9), 0.05)
    values = np.asarray(x.values) - np.asarray(y.values)
    above = stats.ttest_1samp(values, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(values, margin, alternative="less").pvalue
    assert same(difference(x, y, "seeds"), margin) == pytest.approx(max(above, below), rel=1e-9)


def test_same_needs_a_margin_and_a_test() -> None:
    x, y = pair(12)
    with pytest.raises(BenchError, match="margin"):
        same(difference(x, y), 0)
    assert same(difference(Sample([1.0]), Sample([1.0])), 1.0) is None
    assert same(difference(x, x), 0.1) == 2.0**-5
    constant = difference(Sample([1.0] * 4), Sample([2.0] * 4))
    assert (same(constant, 0.5), same(constant, 1.5)) == (1, 0)


def power(found: Difference, error: float, df: int, alpha: float) -> float:
    """The exact power of the t test, by the non-central distribution."""
    cut, shift = stats.t.isf(alpha / 2, df), abs(found.difference) / error
    return float(stats.nct.sf(cut, df, shift) + stats.nct.cdf(-cut, df, shift))


@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_the_seeds_advised_reach_the_power(alpha: float) -> None:
    values = np.random.default_rng(13).standard_normal(12)
    values += 0.3 * values.std() - values.mean()
    found = difference(Sample(values), Sample(np.zeros(12)))
    more = needed(found, alpha)
    assert more.examples is None and more.seeds is not None
    total = 12 + more.seeds
    assert power(found, found.error * math.sqrt(12 / total), total - 1, alpha) == pytest.approx(0.8, abs=0.02)


def test_advice_names_what_decides() -> None:
    rng = np.random.default_rng(14)
    few = crossed(rng, (40, 50), (0.0, 1.0, 0.2))  # the examples are the doubt
    found = difference(sample(few - few.mean() + 0.2), sample(np.zeros_like(few)))
    more = needed(found)
    assert more.seeds is None and more.examples is not None
    error = math.sqrt(found.error**2 - found.by_examples + found.by_examples * 50 / (50 + more.examples))
    assert power(found, error, 39, 0.05) == pytest.approx(0.8, abs=0.02)
    noisy = crossed(rng, (6, 500), (1.0, 0.1, 0.2))  # the seeds are
    more = needed(difference(sample(noisy - noisy.mean() + 0.3), sample(np.zeros_like(noisy))))
    assert more.seeds is not None and more.examples is None
    sure = difference(sample(noisy + 10), sample(np.zeros_like(noisy)))
    assert dataclasses.astuple(needed(sure)) == (0, 0)


def test_a_tiny_difference_is_beyond_all_advice() -> None:
    values = np.random.default_rng(15).standard_normal(10)
    found = difference(Sample(values - values.mean() + 1e-3), Sample(np.zeros(10)))
    assert dataclasses.astuple(needed(found)) == (None, None)


def test_intervals_cover_the_truth() -> None:
    """400 data sets from a population with mean 0: 95 % intervals miss in 5 %, give or take chance."""
    rng, missed = np.random.default_rng(16), 0
    for _ in range(400):
        found = interval(sample(crossed(rng, (20, 60), (0.3, 1.0, 1.0))))
        missed += not found.low <= 0 <= found.high
    assert stats.binomtest(missed, 400, 0.05, alternative="greater").pvalue > 0.01
    assert missed >= 5


def test_kind_is_one_of_three() -> None:
    with pytest.raises(BenchError, match="both, seeds or examples"):
        interval(Sample([1.0, 2.0]), "bootstrap")
