"""Precision, recall, density and coverage against loops over scikit-learn's neighbors and their expectations."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pytest
import sklearn.neighbors
import torch
from torch import Tensor

from harness import BenchError, call_with_inputs
from harness.discovery.registry import component

NAMES = pytest.mark.parametrize("name", ["precision", "recall", "density", "coverage"])


def points(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def measure(name: str, x: Tensor, y: Tensor, **fields: Any) -> float:
    value = call_with_inputs(metric(name, **fields), features=x, reference_features=y)
    assert isinstance(value, float)
    return value


@functools.cache
def metric(name: str, **fields: Any) -> Any:
    return component("metric", name, **fields)


def reach(x: Any, k: int) -> Any:
    found = sklearn.neighbors.NearestNeighbors(n_neighbors=k).fit(x).kneighbors()
    return found[0][:, -1]


def by_loops(name: str, x: Any, y: Any, k: int) -> float:
    if name == "recall":
        return by_loops("precision", y, x, k)
    radii = reach(y, k)
    inside = [[bool(np.linalg.norm(a - b) <= r) for b, r in zip(y, radii, strict=True)] for a in x]
    return {
        "precision": float(np.mean([any(row) for row in inside])),
        "density": sum(map(sum, inside)) / (k * len(x)),
        "coverage": float(np.mean([any(row[j] for row in inside) for j in range(len(y))])),
    }[name]


@NAMES
@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("n, m", [(60, 60), (40, 75)])
def test_by_loops(name: str, k: int, n: int, m: int) -> None:
    x, y = points(n, 3, seed=0) * 1.3, points(m, 3, seed=1) + 0.8
    expected = by_loops(name, x.double().numpy(), y.double().numpy(), k)
    assert 0 < expected < (math.inf if name == "density" else 1)
    assert measure(name, x, y, k=k) == pytest.approx(expected, rel=1e-12)


@NAMES
def test_many_points_are_taken_in_pieces(name: str) -> None:
    x, y = points(700, 2, seed=2), points(800, 2, seed=3) * 0.8
    radii = reach(y.double().numpy(), 2), reach(x.double().numpy(), 2)
    gaps = torch.cdist(x.double(), y.double(), compute_mode="donot_use_mm_for_euclid_dist").numpy()
    inside, outside = gaps <= radii[0], radii[1] >= gaps.T
    expected = {
        "precision": inside.any(1).mean(),
        "recall": outside.any(1).mean(),
        "density": inside.sum() / (2 * 700),
        "coverage": inside.any(0).mean(),
    }
    assert measure(name, x, y, k=2) == pytest.approx(expected[name], rel=1e-12)


@NAMES
def test_far_away_is_nothing_and_the_same_is_everything(name: str) -> None:
    x = points(50, 2, seed=4)
    assert measure(name, x + 100, x) == 0
    assert measure(name, x, x) >= 1
    doubled = x.repeat(2, 1)  # every point's nearest other is itself: a reach of 0 still holds a copy
    assert measure(name, doubled, doubled, k=1) >= 1


def test_the_density_of_perfect_samples_is_one() -> None:
    values = [measure("density", points(70, 4, 2 * s), points(50, 4, 2 * s + 1), k=3) for s in range(400)]
    assert np.mean(values) == pytest.approx(1, abs=3 * np.std(values) / 20)
    assert metric("density").ideal == 1


@pytest.mark.parametrize("k", [1, 5])
def test_the_coverage_of_perfect_samples_is_the_stated_one(k: int) -> None:
    n, m = 70, 50
    values = [measure("coverage", points(n, 4, 2 * s), points(m, 4, 2 * s + 1), k=k) for s in range(400)]
    expected = 1 - math.prod((m - i) / (n + m - i) for i in range(1, k + 1))
    assert np.mean(values) == pytest.approx(expected, abs=3 * np.std(values) / 20)


@NAMES
def test_too_few_points(name: str) -> None:
    with pytest.raises(BenchError, match="5 nearest neighbors need 6 points or more, not 5"):
        measure(name, points(5, 2, seed=5), points(5, 2, seed=6), k=5)
