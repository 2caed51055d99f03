"""Metrics of hubness against scipy, scikit-learn, sums over pairs and counts by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from harness import k_nearest, k_occurrence
from harness.discovery.registry import Registry
from harness.discovery.sources import stock

REGISTRY = Registry(stock())


def component(kind: str, name: str, **fields: Any) -> Any:
    return REGISTRY.build(kind, {"name": name, **fields})


TOY = torch.tensor([2, 2, 4, 1, 1])
TOYS = {"toy": TOY, "long tail": torch.tensor([0] * 30 + [1] * 10 + [7, 23, 60]), "normal": None}
EVERY = pytest.mark.parametrize("name", TOYS)


def points(n: int = 400, d: int = 30) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def counts(name: str) -> Tensor:
    found = TOYS[name]
    return k_occurrence(k_nearest(points(), 5).indices, 400) if found is None else found


def measure(name: str, *inputs: Any, **fields: Any) -> Any:
    return component("metric", name, **fields)(*inputs)


@EVERY
def test_skewness_is_the_third_standardised_moment(name: str) -> None:
    x = counts(name).double().numpy()
    expected = np.mean((x - x.mean()) ** 3) / np.mean((x - x.mean()) ** 2) ** 1.5
    assert measure("k_skewness", counts(name)) == pytest.approx(expected, rel=1e-12)


def test_the_known_skewness() -> None:
    assert measure("k_skewness", TOY) == pytest.approx(0.9128709292, abs=1e-10)
    assert math.isnan(measure("k_skewness", torch.full((9,), 3)))


@EVERY
def test_shares(name: str) -> None:
    x = counts(name).tolist()
    k = round(sum(x) / len(x))
    assert measure("antihub_occurrence", counts(name)) == sum(v == 0 for v in x) / len(x)
    for factor in (2.0, 1.5):
        hubs = sum(v for v in x if v >= factor * k)
        assert measure("hub_occurrence", counts(name), k, factor=factor) == pytest.approx(hubs / sum(x))
    assert measure("max_k_occurrence", counts(name)) == max(x)
    assert measure("groupie_ratio", counts(name)) == pytest.approx(max(x) / sum(x))


def test_who_has_twice_as_many_is_a_hub() -> None:
    assert measure("hub_occurrence", TOY, 2) == pytest.approx(0.4)


@EVERY
def test_inequality_by_pairs(name: str) -> None:
    x = counts(name).double().numpy()
    pairs = np.abs(x[:, None] - x).mean() / (2 * x.mean())
    assert measure("gini", counts(name)) == pytest.approx(pairs, rel=1e-12)
    rich = sum(v - x.mean() for v in x if v > x.mean()) / x.sum()
    assert measure("robin_hood", counts(name)) == pytest.approx(rich, rel=1e-12)


@pytest.mark.parametrize("name", ["gini", "robin_hood"])
def test_equality_and_its_contrary(name: str) -> None:
    assert measure(name, torch.full((7,), 4)) == pytest.approx(0, abs=1e-15)
    assert measure(name, torch.tensor([0] * 99 + [50])) == pytest.approx(0.99)


@pytest.mark.parametrize("k", [1, 4, 9])
def test_neighbors_vote_as_in_scikit_learn(k: int) -> None:
    x = points(150, 4)
    labels = (x[:, 0] * 2).round().long().clamp(-1, 1) + 1
    model = KNeighborsClassifier(k, algorithm="brute")
    expected = cross_val_score(model, x.numpy(), labels.numpy(), cv=LeaveOneOut()).mean()
    assert measure("knn_accuracy", k_nearest(x, k).indices, labels) == pytest.approx(expected)
    assert measure("knn_accuracy", k_nearest(x, k).indices, None) is None


@EVERY
@pytest.mark.parametrize("richest", [0.0, 0.2, 0.33, 1.0])
def test_the_richest_hold_what_lies_under_the_curve_of_the_sorted_counts(name: str, richest: float) -> None:
    x = np.sort(counts(name).numpy())[::-1]
    held = np.interp(richest * len(x), np.arange(len(x) + 1), np.concatenate([[0], x.cumsum()])) / x.sum()
    assert measure("top_share", counts(name), richest=richest) == pytest.approx(held)
    assert measure("top_share", torch.full((10,), 4), richest=richest) == pytest.approx(richest)


@pytest.mark.parametrize("d", [2, 3, 10])
def test_a_ball_holds_its_share_of_a_cube(d: int) -> None:
    n = 20_000
    x = torch.rand(n, d, generator=torch.Generator().manual_seed(d), dtype=torch.float64) * 5 - 1
    expected = math.pi ** (d / 2) / math.gamma(d / 2 + 1) / 2**d
    assert measure("inside_ball", x) == pytest.approx(expected, abs=4 * math.sqrt(expected / n) + d * expected / n)
    assert measure("inside_ball", x * torch.arange(1, d + 1)) == pytest.approx(measure("inside_ball", x))


def test_a_ball_holds_a_line_whole_and_no_corner() -> None:
    assert measure("inside_ball", torch.linspace(3, 4, 7)[:, None]) == 1
    assert measure("inside_ball", torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)) == 0


def test_hubs_are_near_the_mean() -> None:
    x = points()
    distance = (x - x.mean(0)).norm(dim=1)
    expected = np.corrcoef(stats.rankdata(counts("normal")), stats.rankdata(distance))[0, 1]
    assert measure("centrality", x, counts("normal")) == pytest.approx(expected) and expected < -0.8
    assert math.isnan(measure("centrality", x, torch.full((400,), 5)))


def test_diversity_is_a_mean_over_pairs() -> None:
    x, y = points(60, 3) * 0.5, points(80, 3) + 7
    means = [np.mean([math.dist(a, b) for i, a in enumerate(z.tolist()) for b in z.tolist()[:i]]) for z in (x, y)]
    assert measure("diversity", x.float(), y.float()) == pytest.approx(means[0] / means[1], rel=1e-5)
    assert measure("diversity", y, y) == 1


@pytest.mark.verify
@pytest.mark.parametrize(("draw", "kurtosis"), [("rand", 1.8), ("randn", 3.0)])
def test_in_many_dimensions_counts_have_a_limit(draw: str, kurtosis: float) -> None:
    """Hubness does not grow with d for ever: among n points sums of d terms become normal, and N_k with them.

    |x_j|^2 - 2 x_i.x_j, over its deviation, tends to sqrt(kurtosis - 1) g_j - 2 h_ij, all g and h = h^T N(0, 1).
    """
    generator, n, k = torch.Generator().manual_seed(0), 300, 10
    metrics = [component("metric", name) for name in ("robin_hood", "antihub_occurrence", "k_skewness")]

    def limit() -> list[float]:
        g, h = torch.randn(n, generator=generator), torch.randn(n, n, generator=generator).triu(1)
        far = (kurtosis - 1) ** 0.5 * g - 2 * (h + h.T)
        index = far.fill_diagonal_(torch.inf).topk(k, largest=False).indices
        return [metric(index.flatten().bincount(minlength=n)) for metric in metrics]

    def measured() -> list[float]:
        x = getattr(torch, draw)(n, 3000, generator=generator)
        return [metric(k_occurrence(k_nearest(x, k).indices, n)) for metric in metrics]

    found, expected = (np.array([law() for _ in range(runs)]) for law, runs in ((measured, 8), (limit, 60)))
    error = np.sqrt(found.var(0) / 8 + expected.var(0) / 60)
    assert (np.abs(found.mean(0) - expected.mean(0)) < 4 * error).all()


def test_the_bootstrap_holds_what_it_says_and_not_more() -> None:
    """The shares that the caveats name: of 60 draws, how many intervals within a draw hold the mean of all draws."""
    draw = np.random.default_rng(3)
    found = [
        k_occurrence(k_nearest(torch.from_numpy(draw.standard_normal((1000, 100))), 10).indices, 1000)
        for _ in range(60)
    ]
    again = [c.numpy()[draw.integers(0, 1000, (300, 1000))] for c in found]

    def held(statistic: Any) -> float:
        mean = np.mean([statistic(c.numpy()) for c in found])
        ends = np.quantile([statistic(b) for b in again], (0.025, 0.975), axis=1)
        return float(((ends[0] <= mean) & (mean <= ends[1])).mean())

    assert held(lambda c: (c == 0).mean(-1)) > 0.85
    assert 0.65 < held(lambda c: stats.skew(c, axis=-1)) < 0.93
    assert held(lambda c: c.max(-1)) < 0.7
    for name, share in (("k_skewness", "4 of 5"), ("max_k_occurrence", "half"), ("groupie_ratio", "half")):
        assert share in component("metric", name).caveat
