"""The distances between samples and a target against quadrature, loops over pairs, scikit-learn and closed forms."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.spatial.distance
import scipy.stats
import sklearn.metrics.pairwise
import torch
from torch import Tensor

from harness import call_with_inputs, denoiser
from harness.discovery.registry import component
from tests.plugins.mixtures import densities, density, draw, grid25, mixture, moments, ready

DISTANCES = ["mmd", "kid_proxy", "energy_distance"]


def measure(name: str, x: Tensor, y: Tensor | None = None, net: Any = None, exact: bool = True, **fields: Any) -> Any:
    offered = {
        "samples": x,
        "features": x,
        "reference_features": x if y is None else y,
        "moments": moments(net) if net is not None and exact else None,
        "model": ready(net),
    }
    return call_with_inputs(metric(name, **fields), **offered)


@functools.cache
def metric(name: str, **fields: Any) -> Any:
    return component("metric", name, **fields)


def points(n: int, d: int, seed: int, shift: float = 0.0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed)) + shift


def by_loops(kernel: Callable[[Any, Any], float], x: Any, y: Any) -> float:
    """Sejdinovic's form: the mean over pairs of different points on each side, less twice that across."""
    within = [np.mean([kernel(a, b) for a, b in itertools.permutations(part, 2)]) for part in (x, y)]
    return float(within[0] + within[1] - 2 * np.mean([kernel(a, b) for a in x for b in y]))


def gaussians(widths: Any) -> Callable[[Any, Any], float]:
    return lambda a, b: sum(math.exp(-float((a - b) @ (a - b)) / (2 * h * h)) for h in widths)


def nodes(net: Any, count: int = 24) -> tuple[Any, Any]:
    """Gauss and Hermite's rule for the expectation over a mixture: places [m, d] and weights [m]."""
    roots, weights = np.polynomial.hermite_e.hermegauss(count)
    d = net.means.shape[1]
    grid = np.array(list(itertools.product(roots, repeat=d)))
    of_grid = np.prod(list(itertools.product(weights / weights.sum(), repeat=d)), axis=1)
    places = [
        m.numpy() + grid @ np.linalg.cholesky(c.numpy()).T for m, c in zip(net.means, net.covariances, strict=True)
    ]
    return np.concatenate(places), np.concatenate([float(w) * of_grid for w in net.weights])


def documented_widths(net: Any) -> list[float]:
    """Half the usual distance of two draws of a component, that of two draws of the target, and between them."""
    least = math.sqrt(2 * sum(float(w * c.trace()) for w, c in zip(net.weights, net.covariances, strict=True))) / 2
    most = math.sqrt(2 * float(moments(net)[1].trace()))
    return [least, math.sqrt(least * most), most]


@pytest.mark.parametrize("d, count", [(1, 3), (2, 3), (2, 1)])
def test_mmd_against_a_mixture_by_quadrature(d: int, count: int) -> None:
    net = mixture(d, count)
    x = draw(net, 40, seed=1) * 1.2
    kernel = gaussians(documented_widths(net))
    places, weights = nodes(net)
    squares = scipy.spatial.distance.cdist
    widths = documented_widths(net)

    def smooth(a: Any, b: Any) -> Any:
        return sum(np.exp(-squares(a, b, "sqeuclidean") / (2 * h * h)) for h in widths)

    rows = x.double().numpy()
    cross = (smooth(rows, places) @ weights).mean()
    own = weights @ smooth(places, places) @ weights
    within = np.mean([kernel(a, b) for a, b in itertools.permutations(rows, 2)])
    assert measure("mmd", x, net=net) == pytest.approx(within - 2 * cross + own, abs=1e-8)


def test_mmd_between_samples_by_loops() -> None:
    x, y = points(25, 3, seed=0), points(18, 3, seed=1, shift=0.5)
    spread = math.sqrt(2 * float(torch.cov(y.double().T).trace()))
    widths = [spread / 2, spread / math.sqrt(2), spread]
    expected = by_loops(gaussians(widths), x.double().numpy(), y.double().numpy())
    assert measure("mmd", x, y) == pytest.approx(expected, rel=1e-9)
    assert measure("mmd", x, y, net=mixture(3, 2), exact=False) == pytest.approx(expected, rel=1e-9)


def test_kid_by_loops_and_by_scikit_learn() -> None:
    x, y = points(25, 3, seed=2), points(18, 3, seed=3, shift=0.5)
    expected = by_loops(lambda a, b: float(a @ b / 3 + 1) ** 3, x.double().numpy(), y.double().numpy())
    assert measure("kid_proxy", x, y) == pytest.approx(expected, rel=1e-9)
    xx, yy, xy = (
        sklearn.metrics.pairwise.polynomial_kernel(a.double().numpy(), b.double().numpy(), degree=3, coef0=1)
        for a, b in ((x, x), (y, y), (x, y))
    )
    unbiased = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (xx, yy)]
    assert measure("kid_proxy", x, y) == pytest.approx(sum(unbiased) - 2 * xy.mean(), rel=1e-9)


def test_energy_distance_by_loops_and_on_a_line_by_scipy() -> None:
    x, y = points(25, 3, seed=4), points(18, 3, seed=5, shift=0.5)
    expected = by_loops(lambda a, b: -float(np.linalg.norm(a - b)), x.double().numpy(), y.double().numpy())
    assert measure("energy_distance", x, y) == pytest.approx(expected, rel=1e-9)
    x, y = points(40, 1, seed=6), points(40, 1, seed=7, shift=0.5)
    biased = scipy.stats.energy_distance(x[:, 0].numpy(), y[:, 0].numpy()) ** 2  # with the pairs of a point and itself
    pairs = sum(float(scipy.spatial.distance.pdist(part.double().numpy(), "cityblock").mean()) / 40 for part in (x, y))
    assert measure("energy_distance", x, y) == pytest.approx(biased - pairs, abs=1e-7)


@pytest.mark.parametrize("name", DISTANCES)
def test_many_points_are_taken_in_pieces(name: str) -> None:
    x, y = points(700, 2, seed=8), points(900, 2, seed=9, shift=0.1)
    spread = math.sqrt(2 * float(torch.cov(y.double().T).trace()))

    def kernel(a: Any, b: Any) -> Any:
        if name == "kid_proxy":
            return sklearn.metrics.pairwise.polynomial_kernel(a, b, degree=3, coef0=1)
        distances = scipy.spatial.distance.cdist(a, b)
        widths = (spread / 2, spread / math.sqrt(2), spread)
        return -distances if name == "energy_distance" else sum(np.exp(-(distances**2) / (2 * h * h)) for h in widths)

    left, right = x.double().numpy(), y.double().numpy()
    own = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kernel(left, left), kernel(right, right))]
    assert measure(name, x, y) == pytest.approx(sum(own) - 2 * kernel(left, right).mean(), rel=1e-7)


@pytest.mark.verify
@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("exact", [True, False])
def test_a_perfect_sampler_is_at_the_floor(name: str, exact: bool) -> None:
    net = mixture(2, 4)
    values = [measure(name, draw(net, 200, 2 * s), draw(net, 200, 2 * s + 1), net, exact) for s in range(60)]
    assert abs(np.mean(values)) < 3 * np.std(values, ddof=1) / math.sqrt(60)
    assert min(values) < 0
    assert metric(name).ideal == 0


def test_mmd_sees_blurred_modes_that_moments_do_not() -> None:
    net = grid25()
    mean, covariance = moments(net)
    blurred = [mean + points(2048, 2, s).double() @ torch.linalg.cholesky(covariance).T for s in range(5)]
    perfect = [draw(net, 2048, s) for s in range(5)]
    floor, blind = ([measure("fid_proxy", x.float(), net=net) for x in xs] for xs in (perfect, blurred))
    assert abs(np.mean(blind)) < 3 * np.std(floor + blind) / math.sqrt(5)
    floor, seen = ([measure("mmd", x.float(), net=net) for x in xs] for xs in (perfect, blurred))
    assert min(seen) > 20 * np.std(floor, ddof=1)


def test_the_stock_mixtures_are_known_exactly() -> None:
    """So that mmd does not ask the reference, and mode_weight_tv has something to say."""
    means, stds = [[-1.0, 0.0], [2.0, 1.0]], [0.3, 0.5]
    stock = denoiser("gaussian_mixture", means=means, weights=[1.0, 3.0], stds=stds)
    same = SimpleNamespace(
        weights=torch.tensor([0.25, 0.75]).double(),
        means=torch.tensor(means).double(),
        covariances=torch.tensor(stds).double()[:, None, None] ** 2 * torch.eye(2).double(),
    )
    x = draw(same, 50, seed=3)
    for name in ("mmd", "mode_weight_tv", "excess_cross_entropy"):
        offered = {"samples": x, "features": x, "reference_features": x + 9, "moments": stock.moments()}
        value = call_with_inputs(metric(name), **offered, model=stock)
        assert value == pytest.approx(measure(name, x, x + 9, same), rel=1e-5)


def test_sliced_wasserstein_on_a_line_is_the_best_matching() -> None:
    x, y = points(12, 1, seed=10), points(8, 1, seed=11, shift=1.0) * 2
    left, right = x.double().repeat_interleave(2, 0).numpy(), y.double().repeat_interleave(3, 0).numpy()
    cost = (left - right.T) ** 2
    best = cost[scipy.optimize.linear_sum_assignment(cost)].mean()
    assert measure("sliced_wasserstein", x, y) == pytest.approx(math.sqrt(best), rel=1e-9)


def test_sliced_wasserstein_of_a_shift_is_its_share_along_a_line() -> None:
    x = points(50, 3, seed=12)
    shift = torch.tensor([1.0, -2.0, 2.0])
    value = measure("sliced_wasserstein", x, x + shift, projections=4000)
    # The squared share of 3 along a random direction has mean 9 / 3 and deviation below 3.
    assert value**2 == pytest.approx(3.0, abs=4 * 3 / math.sqrt(4000))
    assert measure("sliced_wasserstein", x, x.flip(0)) == pytest.approx(0, abs=1e-12)


def test_mode_weights_by_scipys_densities() -> None:
    net = mixture(3, 4)
    x = draw(net, 60, seed=13)
    each = densities(net, x.double().numpy())
    shares = (each / each.sum(1, keepdims=True)).mean(0)
    expected = np.abs(shares - net.weights.numpy()).sum() / 2
    assert measure("mode_weight_tv", x[:, None], net=net) == pytest.approx(expected, rel=1e-8)


def test_a_lost_mode_is_its_weight() -> None:
    net = grid25()
    x = draw(net, 40_000, seed=14)
    kept = x[(x - net.means[7]).norm(dim=1) > 0.35]
    bias = 25 * math.sqrt(0.04 * 0.96 / (2 * math.pi * 40_000))
    assert measure("mode_weight_tv", x, net=net) == pytest.approx(bias, rel=0.4)
    assert measure("mode_weight_tv", kept, net=net) == pytest.approx(0.04, abs=0.01)


def test_cross_entropy_excess_by_scipys_density() -> None:
    net = mixture(2, 3)
    x, y = draw(net, 100, seed=15) * 1.3, draw(net, 80, seed=16)
    expected = np.log(density(net, y.double().numpy())).mean() - np.log(density(net, x.double().numpy())).mean()
    assert measure("excess_cross_entropy", x, y, net) == pytest.approx(expected, rel=1e-6)


def test_cross_entropy_excess_of_a_wider_normal() -> None:
    eye = torch.eye(4).double()[None]
    net = SimpleNamespace(weights=torch.ones(1).double(), means=torch.zeros(1, 4).double(), covariances=eye)
    # E |x|^2 / 2 is d s^2 / 2; its variance over n is d s^4 / 2n.
    for scale in (1.0, 1.2, 0.8):
        value = measure("excess_cross_entropy", scale * points(20_000, 4, seed=17), points(20_000, 4, seed=18), net)
        error = math.sqrt((scale**4 + 1) * 2 / 20_000)
        assert value == pytest.approx(2 * (scale**2 - 1), abs=3 * error)


def test_what_is_not_known_is_left_out() -> None:
    x, net = points(30, 2, seed=19), mixture(2, 2)
    assert measure("mode_weight_tv", x) is None
    assert measure("excess_cross_entropy", x) is None
    assert measure("excess_cross_entropy", x, net=net, exact=False) is None
    net.covariances = torch.zeros(2, 2, 2).double()
    assert measure("mode_weight_tv", x, net=net) is None
    assert measure("mmd", x, torch.zeros(30, 2)) is None


@pytest.mark.parametrize("name", ["nfe", "sampler_seconds", "denoiser_seconds"])
def test_costs_are_what_the_protocol_counted(name: str) -> None:
    assert (
        call_with_inputs(metric(name), **{"nfe": 9.0, "sampler_seconds": 0.5, "denoiser_seconds": 2.0})
        == ({"nfe": 9.0, "sampler_seconds": 0.5, "denoiser_seconds": 2.0}[name])
    )
