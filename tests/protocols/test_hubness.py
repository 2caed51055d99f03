"""The hubness protocol: which points a seed draws, what metrics are offered, what is recorded."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn
import torch
from scipy import spatial, stats
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

from harness import BenchError, CellContext, Examples, Metric, Skip
from harness.discovery.registry import Registry
from harness.discovery.sources import stock
from harness.random import generator

REGISTRY = Registry(stock())


def component(kind: str, name: str, **fields: Any) -> Any:
    return REGISTRY.build(kind, {"name": name, **fields})


MEASURES = (
    "k_skewness",
    "antihub_occurrence",
    "hub_occurrence",
    "robin_hood",
    "max_k_occurrence",
    "knn_accuracy",
    "centrality",
)


class Kept(Metric):
    """Hands out what it is offered, through a list."""

    def __call__(self, points: Any, labels: Any, neighbors: Any, counts: Any, k: int) -> float:
        SEEN.append((points, labels, neighbors, counts))
        return float(k)


SEEN: list[tuple[Any, Any, Any, Any]] = []


def open_session(folder: Path, dataset: Any = "cloud", data: Examples | None = None, **given: Any) -> Any:
    fields = {"dim": 100} if dataset == "cloud" else {}
    part = component("dataset", dataset, **fields) if isinstance(dataset, str) else dataset
    measure = {name: component("metric", name) for name in MEASURES} | {"kept": Kept()}
    case = CellContext(
        components={
            "dataset": part,
            "dissimilarity": component("dissimilarity", given.pop("dissimilarity", "euclidean")),
        },
        build=lambda kind, spec: component(kind, **spec),
        metrics=measure,
        tune=None,
        artifacts={"dataset": part.load(torch.Generator().manual_seed(0)) if data is None else data},
        split="seed",
        device="cpu",
        folder=folder,
        on_progress=lambda *_: None,
    )
    return component("protocol", "hubness", **given).setup(case)


def seen(session: Any, seed: int) -> tuple[Any, Any, Any, Any]:
    session.measure([seed], {})
    return SEEN.pop()


def test_every_seed_makes_up_points_of_its_own_for_all_contenders(tmp_path: Path) -> None:
    first = seen(open_session(tmp_path, n=300, dim=17), 1)
    assert first[0].shape == (300, 17) and first[0].dtype == torch.float64
    assert torch.equal(first[0], seen(open_session(tmp_path, n=300, dim=17, dissimilarity="cosine"), 1)[0])
    assert not torch.equal(first[0], seen(open_session(tmp_path, n=300, dim=17), 2)[0])
    assert torch.equal(first[1], (first[0][:, 0] > 0).long())
    assert seen(open_session(tmp_path, n=300), 1)[0].shape == (300, 100)


def test_a_table_is_drawn_from_without_replacement(tmp_path: Path) -> None:
    table = component("dataset", "digits").load(torch.Generator())
    points, labels, *_ = seen(open_session(tmp_path, "digits", n=500), 3)
    rows = {tuple(row): int(y) for row, y in zip(table.inputs.double().tolist(), table.targets, strict=True)}
    drawn = [tuple(row) for row in points.tolist()]
    assert len(set(drawn)) == 500 and [rows[row] for row in drawn] == labels.tolist()
    assert not torch.equal(points, seen(open_session(tmp_path, "digits", n=500), 4)[0])
    assert len(seen(open_session(tmp_path, "digits", n=1797), 3)[0]) == 1797


def test_fewer_dimensions_are_the_first_principal_components(tmp_path: Path) -> None:
    whole, few = (seen(open_session(tmp_path, "digits", n=400, dim=dim), 0)[0].numpy() for dim in (None, 5))
    values = np.linalg.svd(whole - whole.mean(0), full_matrices=False)
    expected = values[0][:, :5] * values[1][:5]
    np.testing.assert_allclose(spatial.distance.pdist(few), spatial.distance.pdist(expected), rtol=1e-9)
    np.testing.assert_array_equal(seen(open_session(tmp_path, "digits", n=400, dim=64), 0)[0], whole)


def test_columns_in_units_of_their_own_are_standardized(tmp_path: Path) -> None:
    points = seen(open_session(tmp_path, "wine", n=150), 0)[0]
    np.testing.assert_allclose(points.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(points.std(0, correction=0), 1)


def test_a_missing_value_is_the_mean_of_the_points_drawn(tmp_path: Path) -> None:
    inputs = torch.randn(60, 3, generator=torch.Generator().manual_seed(1)) * 4 + 9
    inputs[::7, 0] = torch.nan
    for standardize in (False, True):
        data = Examples(inputs, torch.arange(60) % 2, 2, standardize=standardize, missing=True, notes=("a note",))
        session = open_session(tmp_path, "iris", data, n=50)
        assert session.notes[0] == "a note"
        points = seen(session, 0)[0]
        rows = torch.randperm(60, generator=generator(0, "rows"))[:50]
        made = SimpleImputer().fit_transform(inputs[rows].double().numpy())
        expected = StandardScaler(with_mean=standardize, with_std=standardize).fit_transform(made)
        np.testing.assert_allclose(points, expected, atol=1e-12)


def test_hubs_of_a_csv_table_do_not_depend_on_an_offset(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    times = [*draw.integers(0, 50, 100).tolist(), *(60 + draw.integers(0, 50, 100)).tolist()]
    found = []
    for offset in (0, 1700000000, -(10**12)):
        file = tmp_path / f"{offset}.csv"
        file.write_text("t,y\n" + "".join(f"{t + offset},{'ab'[k >= 100]}\n" for k, t in enumerate(times)))
        for fields in ({}, {"standardize": False}):
            table = component("dataset", "csv", path=str(file), target="y", **fields)
            found.append(open_session(tmp_path, table, n=200, k=5).measure([0], {}).metrics)
            SEEN.pop()
    assert found[0] == found[2] == found[4] and found[1] == found[3] == found[5]
    assert found[0]["knn_accuracy"] == [1.0] and found[1]["knn_accuracy"] == [1.0]


@pytest.mark.parametrize("name", ["multilabel", "grouped"])
def test_what_has_no_classes_has_no_labels(tmp_path: Path, name: str) -> None:
    points, labels, *_ = seen(open_session(tmp_path, name, n=100), 0)
    assert labels is None and points.shape[0] == 100 and points.ndim == 2


def test_neighbors_and_counts_by_the_whole_matrix(tmp_path: Path) -> None:
    points, _, neighbors, counts = seen(open_session(tmp_path, n=250, dim=12, k=6), 0)
    matrix = spatial.distance.cdist(points, points) + np.diag(np.full(250, np.inf))
    expected = matrix.argsort(1)[:, :6]
    np.testing.assert_array_equal(neighbors, expected)
    np.testing.assert_array_equal(counts, np.bincount(expected.ravel(), minlength=250))


def test_numbers_and_their_intervals(tmp_path: Path) -> None:
    values = open_session(tmp_path, n=400, dim=50, k=5).measure([2], {})
    counts = SEEN.pop()[3].numpy()
    assert values.metrics["k_skewness"] == [pytest.approx(stats.skew(counts))]
    assert values.metrics["kept"] == [5.0] and set(values.metrics) == {*MEASURES, "kept"}
    bounded = {"k_skewness", "antihub_occurrence", "hub_occurrence", "robin_hood", "max_k_occurrence"}
    assert set(values.bootstrap) == bounded
    for name, statistic in (("antihub_occurrence", lambda c: (c == 0).mean()), ("k_skewness", stats.skew)):
        (low,), (high,) = values.bootstrap[name]
        again = stats.bootstrap((counts,), statistic, method="percentile", n_resamples=2000, vectorized=False)
        expected = again.confidence_interval
        assert low < values.metrics[name][0] < high
        assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.25 * (expected.high - expected.low))
    shown = values.figure_data()
    assert np.array_equal(shown["counts"], counts) and shown["dimensions"] == 50 and shown["inside"] == 0


def test_one_measurement_is_like_the_other(tmp_path: Path) -> None:
    first, again = (open_session(tmp_path, n=200).measure([7], {}) for _ in range(2))
    assert first.metrics == again.metrics and first.bootstrap == again.bootstrap


@pytest.mark.verify
@pytest.mark.parametrize("dissimilarity", ["cosine", "mutual_proximity", "csls"])
def test_the_skewness_grows_with_the_dimensions_and_falls_with_the_right_measure(
    tmp_path: Path, dissimilarity: str
) -> None:
    def skew(dim: int, by: str) -> float:
        value = open_session(tmp_path, n=1000, dim=dim, dissimilarity=by).measure([0], {}).metrics["k_skewness"][0]
        return float(value)

    grown = [skew(dim, "euclidean") for dim in (3, 20, 100)]
    assert grown == sorted(grown) and grown[-1] > 3
    assert skew(100, dissimilarity) < grown[-1] / 3


def test_engines_agree_and_others_are_skipped(tmp_path: Path) -> None:
    ours, theirs = (seen(open_session(tmp_path, n=300, engine=engine), 0) for engine in ("exact", "sklearn"))
    assert torch.equal(ours[2], theirs[2])
    notes = [open_session(tmp_path, n=300, engine=engine).notes for engine in ("exact", "sklearn")]
    assert notes[0] == ["neighbors found by the engine exact"]
    assert notes[1] == [f"neighbors found by the engine sklearn {sklearn.__version__}"]
    with pytest.raises(Skip, match="sklearn finds no neighbors by cosine"):
        open_session(tmp_path, n=300, engine="sklearn", dissimilarity="cosine").measure([0], {})


def test_what_does_not_go_together_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(Skip, match="iris has 150 points, not 1,000"):
        open_session(tmp_path, "iris")
    with pytest.raises(Skip, match="iris has 4 dimensions, not 5"):
        open_session(tmp_path, "iris", n=100, dim=5)
    with pytest.raises(BenchError, match="have no effect on hubs"):
        open_session(tmp_path, component("dataset", "digits", label_noise=0.1))
    with pytest.raises(BenchError, match="10 nearest neighbors need 11 points or more, not 10"):
        open_session(tmp_path, n=10).measure([0], {})


@pytest.mark.verify
@pytest.mark.parametrize("d", [2, 3, 10])
def test_as_many_points_of_a_cube_are_in_its_ball_as_their_volumes_say(tmp_path: Path, d: int) -> None:
    """Radius 1 in a cube of side 2: pi^(d / 2) / Gamma(d / 2 + 1) / 2^d."""
    n = 20_000
    cube = component("dataset", "cloud", dim=d, prior=component("prior", "uniform"))
    inside = float(open_session(tmp_path, cube, n=n).measure([1], {}).figure_data()["inside"])
    SEEN.clear()
    expected = math.pi ** (d / 2) / math.gamma(d / 2 + 1) / 2**d
    assert inside == pytest.approx(expected, abs=4 * math.sqrt(expected / n) + d * expected / n)
