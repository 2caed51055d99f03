"""The jackknifed Frechet distance against scipy's matrix root, closed forms, leave-one-out loops and its own claims."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import sklearn.datasets
import torch
from torch import Tensor

from harness import BenchError, call_with_inputs
from harness.discovery.registry import component

METRIC = component("metric", "fid_proxy")


def spread(d: int, seed: int = 0) -> Tensor:
    """A covariance [d, d] with a trace about d."""
    g = torch.Generator().manual_seed(seed)
    root = torch.randn(d, d, generator=g, dtype=torch.float64)
    return root @ root.T / d


def draws(n: int, d: int, seed: int, covariance: Tensor | None = None) -> Tensor:
    """Normal draws [n, d] with mean 0, in the type of samples."""
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=g, dtype=torch.float64)
    return (x if covariance is None else x @ torch.linalg.cholesky(covariance).T).float()


def measure(x: Tensor, y: Tensor | None = None, moments: Any = None) -> float:
    value = call_with_inputs(METRIC, features=x, reference_features=x if y is None else y, moments=moments)
    assert isinstance(value, float)
    return value


def by_scipy(mean: Any, covariance: Any, other_mean: Any, other_covariance: Any) -> float:
    root = scipy.linalg.sqrtm(np.asarray(covariance) @ np.asarray(other_covariance))
    gap = np.asarray(mean) - np.asarray(other_mean)
    return float(gap @ gap + np.trace(covariance) + np.trace(other_covariance) - 2 * np.trace(root).real)


def fit(x: Any) -> tuple[Any, Any]:
    return x.mean(0), np.cov(x, rowvar=False)


def left_out(x: Any, mean: Any, covariance: Any) -> float:
    """Quenouille's jackknife, one point at a time."""
    n = len(x)
    without = [by_scipy(*fit(np.delete(x, i, 0)), mean, covariance) for i in range(n)]
    return n * by_scipy(*fit(x), mean, covariance) - (n - 1) * float(np.mean(without))


def test_twenty_points_are_left_out_one_by_one() -> None:
    covariance, mean = spread(4), torch.tensor([0.5, -1.0, 0.0, 2.0], dtype=torch.float64)
    x = draws(20, 4, seed=1)
    expected = left_out(x.double().numpy(), mean.numpy(), covariance.numpy())
    assert measure(x, moments=(mean, covariance)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore:20 samples of 30 features")
@pytest.mark.parametrize("m", [20, 50])
def test_fewer_points_than_dimensions_have_the_distance_of_the_whole_space(m: int) -> None:
    """Against `tr (C S)^(1/2)` by the eigenvalues of the product [30, 30]; m = 50 is left out by groups of 2 or 3."""
    x, y = draws(20, 30, seed=4) + 0.2, draws(m, 30, seed=5, covariance=spread(30))

    def distance(one: Any, other: Any) -> float:
        (mean, covariance), (other_mean, other_covariance) = one, other
        overlap = np.sqrt(np.clip(np.linalg.eigvals(covariance @ other_covariance).real, 0, None)).sum()
        gap = mean - other_mean
        return float(gap @ gap + np.trace(covariance) + np.trace(other_covariance) - 2 * overlap)

    def jackknifed(points: Any, other: Any) -> float:
        n, order = len(points), torch.randperm(len(points), generator=torch.Generator().manual_seed(0)).numpy()
        value = 20 * distance(fit(points), other)
        for group in np.array_split(order, 20):
            value -= (n - len(group)) / n * distance(fit(np.delete(points, group, 0)), other)
        return value

    a, b = x.double().numpy(), y.double().numpy()
    exact = (torch.zeros(30, dtype=torch.float64), spread(30, seed=6))
    known = tuple(part.numpy() for part in exact)
    assert measure(x, moments=exact) == pytest.approx(jackknifed(a, known), rel=1e-6)
    expected = jackknifed(a, fit(b)) + jackknifed(b, fit(a)) - distance(fit(a), fit(b))
    assert measure(x, y) == pytest.approx(expected, rel=1e-6)


@pytest.mark.benchmark(group="frechet distance of 32 samples of 3 x 32 x 32 numbers")
@pytest.mark.filterwarnings("ignore:32 samples of 3072 features")
def test_images_of_32_by_32_in_pixels(benchmark: Any) -> None:
    x, y = draws(32, 3072, seed=1), draws(500, 3072, seed=2)
    assert math.isfinite(benchmark.pedantic(measure, (x, y), rounds=1))


def test_the_reference_is_jackknifed_too() -> None:
    x, y = draws(20, 3, seed=2), draws(20, 3, seed=3, covariance=spread(3)) + 0.3
    of_x, of_y = fit(x.double().numpy()), fit(y.double().numpy())
    expected = left_out(x.double().numpy(), *of_y) + left_out(y.double().numpy(), *of_x) - by_scipy(*of_x, *of_y)
    assert measure(x, y) == pytest.approx(expected, rel=1e-9)


def test_a_distance_between_large_samples_is_the_closed_form() -> None:
    deviations = torch.tensor([0.5, 1.0, 2.0])
    x = draws(200_000, 3, seed=4) * deviations + torch.tensor([1.0, 0.0, 0.0])
    # Independent columns: the gap of the means and those of the deviations, squared. Their error is about sqrt(1 / n).
    expected = 1 + float((deviations - 1).square().sum())
    exact = torch.zeros(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64)
    assert measure(x, moments=exact) == pytest.approx(expected, abs=0.03)
    assert measure(x, draws(200_000, 3, seed=5)) == pytest.approx(expected, abs=0.04)


def test_features_that_never_vary_cost_nothing() -> None:
    x, y = draws(300, 2, seed=6), draws(300, 2, seed=7)
    padded = [torch.cat([part, torch.full((300, 2), 3.0)], 1) for part in (x, y)]
    assert measure(*padded) == pytest.approx(measure(x, y), abs=1e-6)


def test_no_bias_is_left_at_the_null() -> None:
    """The stated target: n = 2048, d = 64, truth 0, |mean| below .002 over 50 repetitions. The covariance is real."""
    scans = sklearn.datasets.load_digits().data / 8 - 1
    covariance = torch.from_numpy(np.cov(scans, rowvar=False)) + 1e-9 * torch.eye(64, dtype=torch.float64)
    moments = torch.zeros(64, dtype=torch.float64), covariance
    values, raw = [], []
    for seed in range(50):
        x = draws(2048, 64, 100 + seed, covariance)
        values.append(measure(x, moments=moments))
        if seed < 3:
            raw.append(by_scipy(*fit(x.double().numpy()), *(part.numpy() for part in moments)))
    assert abs(np.mean(values)) < 0.002
    assert min(values) < 0, "clipped"
    assert min(raw) > 0.02, "the naive distance would have passed as well"


@pytest.mark.verify
@pytest.mark.parametrize("n, m", [(300, 300), (300, 210)])
def test_no_bias_is_left_of_either_side(n: int, m: int) -> None:
    values = [measure(draws(n, 6, 2 * seed), draws(m, 6, 2 * seed + 1)) for seed in range(100)]
    error = np.std(values, ddof=1) / math.sqrt(100)
    assert abs(np.mean(values)) < 3 * error
    assert error < 0.005  # the naive distance is above 6 / n + 6 / m, .04, from the means alone


@pytest.mark.verify
def test_the_interval_of_the_seeds_holds_the_truth() -> None:
    covariance = spread(4)
    moments = torch.zeros(4, dtype=torch.float64), covariance
    values = np.array([measure(draws(128, 4, seed, covariance), moments=moments) for seed in range(1200)])
    p = scipy.stats.ttest_1samp(values.reshape(-1, 4), 0, axis=1).pvalue
    assert 0.92 <= (p > 0.05).mean() <= 0.98


def test_sorted_data_are_not_taken_for_dependent_groups() -> None:
    x, y = draws(1000, 3, seed=8), draws(1000, 3, seed=9)
    assert abs(measure(x[x[:, 0].argsort()], y[y[:, 0].argsort()])) < 0.02


def test_too_few_samples() -> None:
    with pytest.raises(BenchError, match="3 samples or more, not 2"):
        measure(draws(2, 2, seed=0))
