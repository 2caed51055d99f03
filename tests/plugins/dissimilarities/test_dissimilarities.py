"""Dissimilarities against their formulas over whole matrices, the known answers of five points, and their effect."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import spatial, stats
from torch import Tensor

from harness import BenchError, Dissimilarity, Skip, k_nearest, k_occurrence
from harness.discovery.registry import Registry
from harness.discovery.sources import stock

REGISTRY = Registry(stock())


def component(kind: str, name: str, **fields: Any) -> Any:
    return REGISTRY.build(kind, {"name": name, **fields})


Array = NDArray[np.float64]
TOY = torch.tensor([[0, 0], [1, 0], [0, 1.1], [5, 5], [5, 6.5]], dtype=torch.float64)
CASES: list[tuple[str, dict[str, Any]]] = [
    ("euclidean", {}),
    ("cosine", {}),
    ("local_scaling", {"k": 4}),
    ("nicdm", {"k": 4}),
    ("dis_sim_local", {"k": 4}),
    ("csls", {"k": 4}),
    ("mutual_proximity", {"form": "normal"}),
    ("mutual_proximity", {"form": "empiric"}),
    ("mutual_proximity", {"form": "normal", "k": 9}),
    ("mutual_proximity", {"form": "empiric", "k": 9}),
]
EVERY = pytest.mark.parametrize(("name", "fields"), CASES, ids=[f"{name}{list(f.values())}" for name, f in CASES])


def points(n: int, d: int = 6, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.3


def by(name: str, **fields: Any) -> Any:
    return component("dissimilarity", name, **fields)


class Whole:
    """Every formula once more, in numpy, from the whole matrix of distances to the data, each point's own left out."""

    def __init__(self, x: Array, data: Array, own: bool, k: int | None) -> None:
        self.x, self.data, self.own, self.k = x, data, own, k
        self.gaps = spatial.distance.cdist(x, data)
        self.sides = spatial.distance.cdist(data, data)
        unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, data)]
        self.cosines, self.cosine_sides = unit[0] @ unit[1].T, unit[1] @ unit[1].T

    def of_both(self, statistic: Callable[..., Any], mine: Array, theirs: Array) -> tuple[Array, Array]:
        """A statistic of each row of distances, the diagonal taken out where it is the point itself."""
        first = [statistic(np.delete(row, i) if self.own else row) for i, row in enumerate(mine)]
        second = [statistic(np.delete(row, i)) for i, row in enumerate(theirs)]
        return np.array(first), np.array(second)

    def euclidean(self) -> Array:
        return self.gaps

    def cosine(self) -> Array:
        return 1 - self.cosines

    def local_scaling(self) -> Array:
        r, s = self.of_both(lambda row: np.sort(row)[self.k - 1], self.gaps, self.sides)
        return 1 - np.exp(-(self.gaps**2) / np.outer(r, s))

    def nicdm(self) -> Array:
        r, s = self.of_both(lambda row: np.sort(row)[: self.k].mean(), self.gaps, self.sides)
        return self.gaps / np.sqrt(np.outer(r, s))

    def dis_sim_local(self) -> Array:
        r, s = self._spread(self.x, self.gaps, self.own), self._spread(self.data, self.sides, True)
        return self.gaps**2 - r[:, None] - s

    def _spread(self, rows: Array, gaps: Array, own: bool) -> Array:
        order = [np.argsort(np.where(np.arange(len(g)) == i, np.inf, g) if own else g) for i, g in enumerate(gaps)]
        return np.array(
            [np.sum((row - self.data[o[: self.k]].mean(0)) ** 2) for row, o in zip(rows, order, strict=True)]
        )

    def csls(self) -> Array:
        r, s = self.of_both(lambda row: np.sort(row)[-self.k :].mean(), self.cosines, self.cosine_sides)
        return r[:, None] + s - 2 * self.cosines

    def mutual_proximity(self, form: str) -> Array:
        if form == "normal":
            kept = slice(0, self.k)
            means = self.of_both(lambda row: np.sort(row)[kept].mean(), self.gaps, self.sides)
            stds = self.of_both(lambda row: np.sort(row)[kept].std(), self.gaps, self.sides)
            p = stats.norm.sf(self.gaps, means[0][:, None], stds[0][:, None])
            return 1 - p * stats.norm.sf(self.gaps, means[1], stds[1])
        found, others = np.empty_like(self.gaps), len(self.data) - (2 if self.own else 1)
        reach = self.of_both(lambda row: np.sort(row)[self.k - 1] if self.k else np.inf, self.gaps, self.sides)
        for (i, j), t in np.ndenumerate(self.gaps):
            third = [h for h in range(len(self.data)) if h != j and not (self.own and h == i)]
            near = [g[h] <= min(t, r) for h in third for g, r in [(self.gaps[i], reach[0][i])]]
            near_too = [self.sides[j, h] <= min(t, reach[1][j]) for h in third]
            found[i, j] = 1 - sum(not (a or b) for a, b in zip(near, near_too, strict=True)) / others
        return found


def whole(name: str, x: Tensor, y: Tensor | None, **fields: Any) -> Array:
    data = x if y is None else y
    oracle = Whole(x.numpy(), data.numpy(), y is None, fields.get("k"))
    form = {"form": fields["form"]} if "form" in fields else {}
    result: Array = getattr(oracle, name)(**form)
    return result


def test_every_one_is_a_case() -> None:
    assert {name for name, _ in CASES} == set(REGISTRY.names("dissimilarity"))


@EVERY
def test_its_formula(name: str, fields: dict[str, Any]) -> None:
    x = points(40)
    off = ~torch.eye(40, dtype=torch.bool)
    found, expected = by(name, **fields)(x), torch.from_numpy(whole(name, x, None, **fields))
    torch.testing.assert_close(found[off], expected[off], rtol=1e-9, atol=1e-12)


@EVERY
def test_its_formula_between_two_sets(name: str, fields: dict[str, Any]) -> None:
    x, y = points(15, seed=1), points(30, seed=2)
    found = by(name, **fields)(x, y)
    torch.testing.assert_close(found, torch.from_numpy(whole(name, x, y, **fields)), rtol=1e-9, atol=1e-12)


@EVERY
def test_blocks_are_the_rows_in_order(name: str, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    measure, x, y = by(name, **fields), points(50, seed=3), points(44, seed=4)
    shared = next(sys.modules[cls.__module__] for cls in type(measure).__mro__ if cls.__name__ == "InBlocks")
    monkeypatch.setattr(shared, "CELLS", 1)
    for other in (None, y):
        pieces = list(measure.blocks(x, other))
        assert len(pieces) == 4
        torch.testing.assert_close(torch.cat(pieces), by(name, **fields)(x, other), rtol=1e-12, atol=1e-12)


@EVERY
def test_neighbors_are_those_of_the_whole_matrix(name: str, fields: dict[str, Any]) -> None:
    x = points(60, seed=5)
    matrix = by(name, **fields)(x).fill_diagonal_(torch.inf)
    found = by(name, **fields).nearest(x, 7)
    assert torch.equal(found.indices, matrix.sort(dim=1, stable=True).indices[:, :7])
    assert k_occurrence(found.indices, 60).sum() == 420


@EVERY
def test_it_is_symmetric(name: str, fields: dict[str, Any]) -> None:
    found = by(name, **fields)(points(25, seed=6))
    torch.testing.assert_close(found, found.T, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["euclidean", "cosine", "local_scaling", "nicdm"])
def test_copies_are_as_near_as_can_be(name: str) -> None:
    found = by(name)(points(30, seed=7).repeat_interleave(2, 0))
    assert found.gather(1, (torch.arange(60) ^ 1)[:, None]).abs().max() < 1e-15


def test_five_points() -> None:
    assert by("local_scaling", k=2)(TOY)[0, 1].item() == pytest.approx(0.4574747885, abs=1e-10)
    assert by("nicdm", k=2)(TOY)[0, 1].item() == pytest.approx(0.8752190930, abs=1e-10)


def test_many_copies_leave_no_neighbor_at_a_distance() -> None:
    x = torch.cat([torch.zeros(9, 2), torch.ones(9, 2), points(9, 2).float()]).double()
    for name in ("local_scaling", "nicdm"):
        found = by(name, k=3)(x)
        assert torch.isfinite(found).all() and (found[:9, :9] == 0).all() and (found[:9, 9:18] > 0.9).all()


def test_what_has_no_direction_is_at_one_from_everything() -> None:
    x = torch.cat([torch.zeros(2, 4), points(5, 4).float()])
    assert (by("cosine")(x)[:2] == 1).all()
    assert torch.isfinite(by("csls", k=2)(x)).all()


@pytest.mark.parametrize("name", ["local_scaling", "nicdm", "dis_sim_local", "csls", "mutual_proximity"])
def test_too_few_points(name: str) -> None:
    with pytest.raises(BenchError, match="5 nearest neighbors need"):
        by(name, k=5)(points(5))
    with pytest.raises(BenchError, match=r"mutual_proximity needs 3 points or more, not 2"):
        by("mutual_proximity")(points(2))


def test_other_engines_find_euclidean_neighbors_alone() -> None:
    x = points(200)
    assert torch.equal(by("euclidean").nearest(x, 5, "sklearn").indices, k_nearest(x, 5).indices)
    with pytest.raises(Skip, match="sklearn finds no neighbors by cosine"):
        by("cosine").nearest(x, 5, "sklearn")


@pytest.mark.verify
def test_the_order_of_what_hubs_remain() -> None:
    """As published for 1,000 normal points in 100 dimensions, k = 10, and as measured elsewhere."""
    skew = {name: np.mean([skewness(name, seed) for seed in range(3)]) for name in REGISTRY.names("dissimilarity")}
    scaled = sorted(skew[name] for name in ("local_scaling", "nicdm"))
    good = [skew[name] for name in ("mutual_proximity", "cosine", "csls")]
    assert skew["euclidean"] > 2 * scaled[1] and scaled[1] < 1.2 * scaled[0]
    assert scaled[0] > skew["dis_sim_local"] > 2 * max(good)
    assert skewness("mutual_proximity", 0, form="empiric") < skew["dis_sim_local"] / 2


def skewness(name: str, seed: int, **fields: Any) -> float:
    index = by(name, **fields).nearest(points(1000, 100, seed) - 0.3, 10).indices
    return float(stats.skew(k_occurrence(index, 1000).numpy()))


class Taxi(Dissimilarity):
    """The sum of the absolute differences."""

    def __call__(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return torch.cdist(x, x if y is None else y, p=1)


def test_a_call_is_all_one_has_to_write() -> None:
    x = points(50)
    found = Taxi().nearest(x, 4)
    expected = spatial.distance.cdist(x.numpy(), x.numpy(), "cityblock") + np.diag(np.full(50, np.inf))
    assert (found.indices.numpy() == expected.argsort(1)[:, :4]).all()
    precision = component("metric", "precision", dissimilarity=Taxi())
    inside = precision(points(50, seed=8) * 1.5, x)
    radii = np.sort(expected, 1)[:, 2]
    gaps = spatial.distance.cdist((points(50, seed=8) * 1.5).numpy(), x.numpy(), "cityblock")
    assert inside == (gaps <= radii).any(1).mean()


@pytest.mark.verify
@EVERY
@pytest.mark.parametrize("metric", ["precision", "recall", "density", "coverage"])
def test_neighbor_metrics_take_any(metric: str, name: str, fields: dict[str, Any]) -> None:
    x, y = points(60, 4, seed=9) * 1.3, points(50, 4, seed=10)
    asked = (y, x) if metric == "recall" else (x, y)
    own = whole(name, asked[1], None, **fields)
    np.fill_diagonal(own, np.inf)
    inside = whole(name, *asked, **fields) <= np.sort(own, 1)[:, 4] + 1e-9
    expected = {"density": inside.mean(0).sum() / 5, "coverage": inside.any(0).mean()}.get(metric, inside.any(1).mean())
    value = component("metric", metric, k=5, dissimilarity=by(name, **fields))(x, y)
    assert value == pytest.approx(expected, abs=1e-12)
