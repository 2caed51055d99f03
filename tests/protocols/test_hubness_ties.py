"""Hubness of points with equally near neighbors, against brute force over random orders of each row's neighbors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from harness import Examples, k_nearest, k_occurrence
from harness.protocols.hubness.ties import Choices

from .test_hubness import MEASURES, component, open_session

EUCLIDEAN = component("dissimilarity", "euclidean")


def cube(n: int = 160, columns: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 2, (n, columns), generator=torch.Generator().manual_seed(seed)).float()


def table(points: torch.Tensor) -> Examples:
    return Examples(inputs=points, targets=(points[:, 0] + points[:, -1] > 1).long(), classes=2)


def brute(points: np.ndarray, labels: np.ndarray, k: int, times: int = 100) -> dict[str, tuple[float, float]]:
    """Mean and standard error over orders drawn for every point on its own."""
    draw = np.random.default_rng(1)
    gaps = ((points[:, None] - points) ** 2).sum(-1)
    np.fill_diagonal(gaps, np.inf)
    found: dict[str, list[float]] = {name: [] for name in ("max", "anti", "skew", "knn")}
    for _ in range(times):
        near = np.stack([np.lexsort((draw.random(len(row)), row))[:k] for row in gaps])
        counts = np.bincount(near.ravel(), minlength=len(points))
        found["max"].append(counts.max())
        found["anti"].append((counts == 0).mean())
        found["skew"].append(stats.skew(counts))
        votes = np.stack([(labels[near] == label).sum(1) for label in (0, 1)], 1)
        found["knn"].append((votes.argmax(1) == labels).mean())
    return {name: (float(np.mean(each)), float(np.std(each))) for name, each in found.items()}


def measured(folder: Path, points: torch.Tensor, k: int = 5, seeds: int = 4, **given: Any) -> dict[str, float]:
    session = open_session(folder, dataset="iris", data=table(points), n=len(points), k=k, **given)
    each = [session.measure([seed], {}).metrics for seed in range(seeds)]
    return {name: float(np.mean([metrics[name][0] for metrics in each])) for name in each[0]}


def test_the_cube_of_the_fault(tmp_path: Path) -> None:
    found = measured(tmp_path, cube())
    assert found["max_k_occurrence"] == pytest.approx(10.6, abs=0.7)
    assert found["antihub_occurrence"] == pytest.approx(0.003, abs=0.002)
    assert found["k_skewness"] == pytest.approx(0.24, abs=0.05)


@pytest.mark.parametrize(("columns", "k"), [(2, 5), (3, 5), (3, 30), (7, 4)])
@pytest.mark.verify
def test_metrics_are_means_over_random_choices(columns: int, k: int, tmp_path: Path) -> None:
    points = cube(columns=columns)
    expected = brute(points.numpy(), table(points).targets.numpy(), k)
    found = measured(tmp_path, points, k)
    names = {"max": "max_k_occurrence", "anti": "antihub_occurrence", "skew": "k_skewness", "knn": "knn_accuracy"}
    for key, name in names.items():
        mean, spread = expected[key]
        assert found[name] == pytest.approx(mean, abs=4 * spread * (1 / 100 + 1 / 400) ** 0.5 + 1e-9), name


@pytest.mark.verify
def test_the_order_of_rows_decides_nothing(tmp_path: Path) -> None:
    points = cube()
    ordered = points[torch.argsort((points * torch.tensor([4.0, 2.0, 1.0])).sum(1))]
    one, other = (measured(tmp_path, rows, seeds=8) for rows in (points, ordered))
    assert other["max_k_occurrence"] == pytest.approx(one["max_k_occurrence"], abs=0.2)
    assert other["antihub_occurrence"] == pytest.approx(one["antihub_occurrence"], abs=1e-3)


@pytest.mark.parametrize("name", ["euclidean", "cosine", "nicdm"])
def test_without_ties_every_bit_is_that_of_the_search(name: str, tmp_path: Path) -> None:
    session = open_session(tmp_path, n=300, dim=17, k=5, dissimilarity=name)
    values = session.measure([3], {})
    assert "tied places" not in values.auxiliary
    points, _ = session._points.drawn(3)
    near = component("dissimilarity", name).nearest(points, 5).indices
    counts = k_occurrence(near, 300)
    for label in MEASURES:
        given = {"counts": counts, "k": 5, "neighbors": near, "points": points, "labels": (points[:, 0] > 0).long()}
        metric = component("metric", label)
        wanted = [key for key in given if key in type(metric).__call__.__annotations__]
        assert values.metrics[label] == [metric(**{key: given[key] for key in wanted})]


def test_the_share_of_tied_places() -> None:
    # 0 has its nearest at 1 and one of two at 2; 1 and the two at 2 have theirs without a tie, or a tie of two
    points = torch.tensor([[0.0], [1.0], [2.0], [-2.0]], dtype=torch.float64)
    choices = Choices(EUCLIDEAN, points, 2, "exact")
    assert choices.tied_places == pytest.approx(1 / 8)  # only the second place of 0
    draws = list(choices.drawn(torch.Generator().manual_seed(0)))
    assert {tuple(sorted(draw[0].tolist())) for draw in draws} == {(1, 2), (1, 3)}
    assert all(torch.equal(draw[1:], draws[0][1:]) for draw in draws)
    share = np.mean([2 in draw[0].tolist() for draw in draws])
    assert abs(share - 0.5) < 0.2


@pytest.mark.parametrize("k", [1, 2, 3])
def test_all_others_are_no_tie_and_counts_keep_their_mean(k: int) -> None:
    points = torch.zeros(4, 2, dtype=torch.float64)
    choices = Choices(EUCLIDEAN, points, k, "exact")
    assert choices.tied_places == (0.0 if k == 3 else 1.0)
    for draw in choices.drawn(torch.Generator().manual_seed(0)):
        assert int(k_occurrence(draw, 4).sum()) == 4 * k
        assert all(i not in row and len(set(row)) == k for i, row in enumerate(draw.tolist()))


def test_expected_counts_give_each_of_m_points_for_r_places_r_over_m() -> None:
    points = torch.cat([torch.zeros(1, 1), torch.ones(6, 1), torch.full((1, 1), 9.0)]).double()
    draws = list(Choices(EUCLIDEAN, points, 4, "exact").drawn(torch.Generator().manual_seed(0)))
    taken = np.mean([[j in draw[0].tolist() for j in range(8)] for draw in draws], axis=0)
    assert taken[[0, 7]].tolist() == [0, 0]
    assert np.abs(taken[1:7] - 4 / 6).max() < 4 * (4 / 6 * 2 / 6 / 100) ** 0.5
    assert torch.equal(draws[0][0].sort().values, draws[0][0])


def test_search_beyond_the_data_falls_back() -> None:
    points = torch.randn(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Choices(EUCLIDEAN, points, 3, "exact").first, k_nearest(points, 3).indices)
