"""Nearest neighbors and N_k against scikit-learn's brute force, exact arithmetic and differences one by one."""

from __future__ import annotations

import fractions
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn.neighbors
import torch
from scipy import stats
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from torch import Tensor

import harness
from harness import BenchError, k_nearest, k_occurrence, k_smallest, pairwise_distances
from harness.neighbors import release

TOY = torch.tensor([[0, 0], [1, 0], [0, 1.1], [5, 5], [5, 6.5]], dtype=torch.float64)


def normal(n: int, d: int, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def counts(x: Tensor, k: int, **options: Any) -> Tensor:
    return k_occurrence(k_nearest(x, k, **options).indices, len(x))


def by_differences(x: Tensor, k: int) -> np.ndarray:
    """The neighbors by distance, then number: every difference squared in float64, sorted stably."""
    found = []
    for i, row in enumerate(x.numpy()):
        gaps = np.square(x.numpy() - row).sum(1)
        gaps[i] = np.inf
        found.append(np.argsort(gaps, kind="stable")[:k])
    return np.array(found)


@pytest.mark.parametrize("k, expected", [(1, [2, 1, 0, 1, 1]), (2, [2, 2, 4, 1, 1])])
def test_five_points_by_hand(k: int, expected: list[int]) -> None:
    assert counts(TOY, k).tolist() == expected


def test_the_skewness_of_five_points() -> None:
    assert stats.skew(counts(TOY, 2).numpy()) == pytest.approx(0.9128709292, abs=1e-10)


def test_the_published_draws() -> None:
    """Standard normal points of one generator, one set after the other; then 10,000 starts of a generator's size."""
    draw = np.random.default_rng(0)
    sets = [torch.from_numpy(draw.standard_normal((2000, d))) for d in (3, 20, 100, 500)]
    found = [counts(x, 10).numpy() for x in sets]
    assert [round(float(stats.skew(c)), 4) for c in found] == [-0.3006, 2.2931, 5.0615, 8.8409]
    assert [c.max() for c in found] == [19, 86, 233, 491]
    assert [(c == 0).mean() for c in found] == [0.002, 0.0805, 0.1835, 0.3005]
    assert [c[c >= 20].sum() / 20_000 for c in found] == pytest.approx([0, 0.4471, 0.6131, 0.6892], abs=5.1e-5)
    means = [(x - x.mean(0)).norm(dim=1).numpy() for x in sets]
    spearman = [stats.spearmanr(c, far).statistic for c, far in zip(found, means, strict=True)]
    assert [round(rho, 2) for rho in spearman] == [-0.24, -0.94, -0.93, -0.93]

    starts = torch.from_numpy(draw.standard_normal((10_000, 512)))
    index, norms = k_nearest(starts, 5).indices, starts.norm(dim=1)
    others = k_occurrence(index, 10_000)
    assert ((others >= 50).sum(), (others > 50).sum(), others.max()) == (184, 181, 723)
    assert round(float((others == 0).double().mean()), 3) == 0.504
    assert round(float(stats.skew(others.numpy())), 1) == 16.1
    assert [round(float(part.mean()), 2) for part in (norms[others >= 50], norms)] == [20.90, 22.61]
    selves = k_occurrence(index[:, :4], 10_000) + 1  # who counts as its own neighbor has four places left
    assert ((selves >= 50).sum(), (selves > 50).sum(), (selves == 0).sum()) == (138, 130, 0)
    assert round(float(stats.skew(selves.numpy())), 1) == 16.8


SETS: dict[str, Callable[[], Tensor]] = {
    "plane": lambda: normal(500, 2),
    "many": lambda: normal(3000, 20),
    "wide": lambda: normal(900, 400),
    "few": lambda: normal(40, 5),
    "cube": lambda: torch.rand(1500, 30, generator=torch.Generator().manual_seed(1), dtype=torch.float64),
    "float32": lambda: normal(1000, 10).float(),
    "wine": lambda: torch.from_numpy(load_wine().data),
    "breast cancer": lambda: torch.from_numpy(load_breast_cancer().data),
    "heavy tails": lambda: normal(1000, 8) / normal(1000, 1, seed=9),
}


@pytest.mark.parametrize("k", [1, 10])
@pytest.mark.parametrize("name", SETS)
def test_as_scikit_learn_has_it(name: str, k: int) -> None:
    x = SETS[name]()
    search = sklearn.neighbors.NearestNeighbors(n_neighbors=k, algorithm="brute").fit(x.double().numpy())
    distance, index = search.kneighbors()
    found = k_nearest(x, k)
    assert (found.indices.numpy() == index).all()
    np.testing.assert_allclose(found.distances, distance, rtol=1e-6)
    assert counts(x, k).tolist() == np.bincount(index.ravel(), minlength=len(x)).tolist()
    assert counts(x, k).sum() == k * len(x)


WHOLE: dict[str, Callable[[], np.ndarray]] = {
    "iris": lambda: (load_iris().data * 10).round(),
    "digits": lambda: load_digits().data,
    "patches": lambda: (data("patches").inputs.double() * 255).round().numpy(),
    "five points": lambda: TOY.numpy() * 10,
}
"""Data in whole numbers, which have ties, and distances that any order of sums gives to the last bit."""


def data(name: str) -> harness.Examples:
    table: harness.Examples = harness.component("dataset", name).load(torch.Generator())
    return table


@pytest.mark.parametrize("name", WHOLE)
def test_as_scikit_learn_has_it_but_that_of_ties_the_first_come_first(name: str) -> None:
    x = WHOLE[name]()
    k, more = min(10, len(x) - 2), min(30, len(x) - 1)
    search = sklearn.neighbors.NearestNeighbors(n_neighbors=more, algorithm="brute").fit(x)
    distance, index = search.kneighbors()
    assert more == len(x) - 1 or (distance[:, -1] > distance[:, k - 1]).all(), "all that tie with the last are there"
    order = np.lexsort((index, distance))[:, :k]
    found = k_nearest(torch.from_numpy(x), k)
    np.testing.assert_array_equal(found.indices, np.take_along_axis(index, order, 1))
    np.testing.assert_array_equal(found.distances, np.take_along_axis(distance, order, 1))


HARD: dict[str, Callable[[], Tensor]] = {
    "far from the origin": lambda: 1e8 + 1e-3 * normal(600, 10),
    "two far clusters": lambda: normal(600, 10) + 1e7 * (torch.arange(600) % 2)[:, None],
    "an outlier": lambda: torch.cat([normal(599, 10), torch.full((1, 10), 1e9, dtype=torch.float64)]),
    "huge": lambda: 1e150 * normal(600, 5),
    "tiny": lambda: 1e-150 * normal(600, 5),
    "tiny beside huge": lambda: normal(600, 5) * 10.0 ** torch.linspace(-30, 30, 600, dtype=torch.float64)[:, None],
    "copies": lambda: normal(60, 5).repeat_interleave(10, 0),
    "one point": lambda: torch.ones(400, 3, dtype=torch.float64),
    "a lattice": lambda: torch.randint(0, 3, (800, 4), generator=torch.Generator().manual_seed(2)).double(),
    "near copies": lambda: torch.cat([x := normal(300, 8), x + 1e-9 * normal(300, 8, seed=3)]),
}


@pytest.mark.parametrize("name", HARD)
def test_whatever_rounding_could_misplace_is_right(name: str) -> None:
    x = HARD[name]()
    unit = x / 2.0 ** round(float(x.abs().max().log2()))  # the same neighbors; squares that do not overflow
    found = k_nearest(x, 7)
    if name == "tiny beside huge":  # where squares of float64 vanish, whole numbers do not
        assert (found.indices[:10].numpy() == by_fractions(x, 10, 7)).all()
    else:
        assert (found.indices.numpy() == by_differences(unit, 7)).all()


def by_fractions(x: Tensor, rows: int, k: int) -> np.ndarray:
    exact = [[fractions.Fraction(v) for v in row] for row in x.tolist()]
    found = []
    for i in range(rows):
        gaps = [sum((a - b) ** 2 for a, b in zip(exact[i], other, strict=True)) for other in exact]
        found.append(sorted((j for j in range(len(exact)) if j != i), key=lambda j: (gaps[j], j))[:k])
    return np.array(found)


def test_scikit_learn_loses_what_is_found_here() -> None:
    """Why the difference by difference check is there."""
    x = HARD["far from the origin"]()
    theirs = sklearn.neighbors.NearestNeighbors(n_neighbors=7, algorithm="brute").fit(x.numpy()).kneighbors()[1]
    assert (theirs != by_differences(x, 7)).mean() > 0.5


@pytest.mark.parametrize("precision", ["high", "medium"])
def test_coarser_products_change_nothing(precision: str) -> None:
    x, before = normal(1000, 30), torch.get_float32_matmul_precision()
    expected = k_nearest(x, 5)
    try:
        torch.set_float32_matmul_precision(precision)
        assert torch.equal(k_nearest(x, 5).indices, expected.indices)
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("n", [50, 700])
def test_of_other_points_among_the_data(n: int) -> None:
    data, x = normal(n, 6), normal(90, 6, seed=4)
    distance, index = sklearn.neighbors.NearestNeighbors(n_neighbors=4).fit(data.numpy()).kneighbors(x.numpy())
    found = k_nearest(data, 4, x)
    assert (found.indices.numpy() == index).all()
    np.testing.assert_allclose(found.distances, distance, rtol=1e-12)
    assert (k_nearest(data, 1, data).indices[:, 0] == torch.arange(n)).all(), "another set that is alike finds itself"


def test_scikit_learns_engine() -> None:
    x = normal(300, 12)
    ours, theirs = k_nearest(x, 5), k_nearest(x, 5, engine="sklearn")
    assert torch.equal(ours.indices, theirs.indices)
    torch.testing.assert_close(ours.distances, theirs.distances)
    query = normal(20, 12, seed=5)
    assert torch.equal(k_nearest(x, 5, query).indices, k_nearest(x, 5, query, engine="sklearn").indices)


def test_faiss() -> None:
    pytest.importorskip("faiss", reason="faiss is not installed: pip install touchstone-bench[faiss]")
    x = normal(300, 12).float()
    for other in (None, x[:9] + 0.1):
        theirs, ours = (k_nearest(x, 5, other, engine=engine) for engine in ("faiss", "exact"))
        assert (theirs.indices != ours.indices).double().mean() < 0.01, "float32 may swap what is nearly as near"
        torch.testing.assert_close(theirs.distances, ours.distances, rtol=1e-5, atol=0)
    assert (k_nearest(x.repeat_interleave(9, 0), 5, engine="faiss").indices != torch.arange(2700)[:, None]).all()


def test_an_engine_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    for asked in (lambda: k_nearest(normal(30, 2), 5, engine="faiss"), lambda: release("faiss")):
        with pytest.raises(BenchError, match="the engine faiss cannot be imported"):
            asked()
    assert release("exact") == "exact" and release("sklearn") == f"sklearn {sklearn.__version__}"


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_distances_keep_their_digits(shift: float) -> None:
    x = torch.cat([normal(40, 7), normal(40, 7, seed=6) * 1e-4]) + shift
    y = torch.cat([x[:30], x[20:60] + 1e-5])
    expected = np.sqrt(np.square(x.numpy()[:, None].astype(np.longdouble) - y.numpy()[None]).sum(-1))
    np.testing.assert_allclose(pairwise_distances(x, y), expected.astype(float), rtol=1e-8)
    assert (pairwise_distances(x, x).diagonal() == 0).all()


def test_the_smallest_of_equal_numbers_come_first() -> None:
    rows = torch.tensor([[3.0, 1, 2, 1, 1], [5, 0, 5, 5, 5], [1, 1, 0, 1, 1]])
    found = k_smallest([rows[:2], rows[2:]], 3, own=False)
    assert found.indices.tolist() == [[1, 3, 4], [1, 0, 2], [2, 0, 1]]
    assert found.distances.tolist() == [[1, 1, 1], [0, 5, 5], [0, 1, 1]]
    square = torch.tensor([[-9.0, 2, 1], [4, -9, 4], [0, -1, -9]])
    assert k_smallest([square[:1], square[1:]], 2).indices.tolist() == [[2, 1], [0, 2], [1, 0]]
    assert square[0, 0] == -9, "what is given is left alone"
    with pytest.raises(BenchError, match="a distance that is a number"):
        k_smallest([torch.tensor([[0.0, torch.nan, 1]])], 2)


def test_bad_input_is_answered_in_a_line() -> None:
    with pytest.raises(BenchError, match="5 nearest neighbors need 6 points or more, not 5"):
        k_nearest(normal(5, 2), 5)
    with pytest.raises(BenchError, match="2 nearest neighbors need 2 points or more, not 1"):
        k_nearest(normal(1, 2), 2, normal(3, 2))
    with pytest.raises(BenchError, match="point 3 is not finite"):
        k_nearest(normal(5, 2).index_fill(0, torch.tensor(3), torch.nan), 2)
    with pytest.raises(BenchError, match="did you mean sklearn"):
        k_nearest(normal(5, 2), 2, engine="skleran")
    with pytest.raises(BenchError, match=r"points \[n, d\], not \[5, 2, 1\]"):
        k_nearest(normal(5, 2)[..., None], 2)


MEASURED = """
import resource, torch
from harness.neighbors import k_nearest
torch.set_num_threads(1)
x = torch.randn({n}, {d}, generator=torch.Generator().manual_seed(0))
k_nearest(x[:2000], 10)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
k_nearest(x, 10)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_grows_with_the_points_and_not_with_their_square() -> None:
    """All distances of 16,000 points are 1 GB in float32; `tests/speed` has 100,000 points."""
    code = MEASURED.format(n=16_000, d=40)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit < 200 * 2**20


def test_the_door_has_them() -> None:
    assert {"Neighbors", "k_nearest", "k_occurrence", "k_smallest", "pairwise_distances"} <= set(harness.__all__)
