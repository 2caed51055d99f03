"""A run of the hubness protocol as its reader meets it: result, records, report and figures."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.figures import StoredRun, figures
from harness.figures.ball import log_share
from harness.figures.occurrences import columns
from harness.figures.style import styled
from harness.results.codec import from_json
from tests.conftest import Bench, Ended

SUITE = """
suite: small
protocol: hubness
vary:
  dataset: [{cloud: {prior: [uniform, normal], dim: [2, 60]}}, {iris: {}}]
  dissimilarity: [euclidean, cosine]
settings: {n: 120, k: 4}
seeds: 2
metrics: [robin_hood, k_skewness, knn_accuracy]
baseline: euclidean
"""


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    return shared("hubness")


@pytest.fixture(scope="module")
def ended(folder: Bench) -> Ended:
    folder.write("s.yaml", SUITE)
    done = folder("s.yaml", "--json", "r.json")
    assert done.code == 0, done.err
    return done


@pytest.fixture(scope="module")
def data(folder: Bench, ended: Ended) -> Any:
    return json.loads((folder.folder / "r.json").read_text())


@pytest.fixture(scope="module")
def made(folder: Bench, data: Any) -> Mapping[str, Figure]:
    with styled():
        return {name: make() for name, make in figures(StoredRun(from_json(data), folder.folder / "results")).items()}


def cell(data: Any, dataset: str, dissimilarity: str) -> Any:
    wanted = {"dataset": dataset, "dissimilarity": dissimilarity}
    return next(cell for cell in data["cells"] if cell["vary"] == wanted)


def counts(folder: Path, cell: Any) -> np.ndarray:
    (file,) = (folder / "results" / "units").glob(f"{cell['id'][:16]}-*-0.npz")
    found: np.ndarray = np.load(file)["exhibit/counts"]
    return found


@pytest.mark.verify
def test_intervals_over_seeds_and_within_a_seed_are_told_apart(data: Any, ended: Ended) -> None:
    metrics = cell(data, "cloud(dim=60)", "euclidean")["metrics"]
    ends = metrics["k_skewness"]["bootstrap"]
    assert all(
        low < value < high
        for low, value, high in zip(ends["low"], metrics["k_skewness"]["values"], ends["high"], strict=True)
    )
    assert len(ends["low"]) == 2 and metrics["knn_accuracy"].get("bootstrap") is None
    assert metrics["k_skewness"]["low"] not in ends["low"] and metrics["k_skewness"]["interval"] == "seeds"
    text = " ".join(ended.out.split())
    assert "95 % intervals over seeds; within a seed: 95 % by the bootstrap, ends averaged over seeds" in text
    low, high = (np.mean(ends[end]) for end in ("low", "high"))
    assert any(f"{low:.{places}f} to {high:.{places}f}" in text for places in (1, 2, 3))
    assert "k_skewness is heavy-tailed" in text


@pytest.mark.verify
def test_the_engine_is_in_record_and_report(folder: Bench, ended: Ended) -> None:
    (file,) = (folder.folder / "results" / "records").glob("*.jsonl")
    records = [json.loads(line) for line in file.read_text().splitlines()]
    note = "neighbors found by the engine exact"
    assert all(record["notes"] == [note] and record["protocol"]["engine"] == "exact" for record in records)
    assert f"\n  {note}\n" in ended.out


@pytest.mark.verify
def test_a_number_inside_a_component_is_an_axis(data: Any, made: Mapping[str, Figure]) -> None:
    figure = made["k_skewness-against-dim".replace("_", "-")]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["cloud(prior=uniform)", "cloud"], "iris has no dim"
    for axes, name in zip(figure.axes, ("cloud(prior=uniform, dim={})", "cloud(dim={})"), strict=True):
        lines = {str(line.get_label()): line for line in axes.lines}
        for by in ("euclidean", "cosine"):
            means = [cell(data, name.format(d), by)["metrics"]["k_skewness"]["mean"] for d in (2, 60)]
            assert list(lines[by].get_xdata()) == [2, 60] and list(lines[by].get_ydata()) == means  # type: ignore[arg-type]


def test_the_histogram_holds_every_point(folder: Bench, data: Any, made: Mapping[str, Figure]) -> None:
    figure = made["occurrences-cloud-dim-60"]
    assert len(figure.axes) == 2
    for axes, by in zip(figure.axes, ("euclidean", "cosine"), strict=True):
        expected = counts(folder.folder, cell(data, "cloud(dim=60)", by))
        assert axes.get_title(loc="left").startswith(by) and f"N4, {expected.max():.0f} at most" == axes.get_xlabel()
        heights, edges = _stairs(axes)
        assert (heights * np.diff(edges)).sum() == pytest.approx(120)
        assert heights[0] == (expected == 0).sum()
        assert heights[:8] == pytest.approx([(expected == v).sum() for v in range(8)])
        assert [line.get_xdata()[0] for line in axes.lines] == [4]  # type: ignore[index]
    assert expected.mean() == 4


def _stairs(axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    (patch,) = axes.patches
    values, edges, _ = patch.get_data()  # type: ignore[attr-defined]
    return values, edges


def test_columns_cover_every_count_once() -> None:
    for most in (0, 1, 7, 100, 12345):
        edges = columns(most)
        assert edges[0] == -0.5 and edges[-2] < most < edges[-1] and (np.diff(edges) >= 1).all()
        assert (edges % 1 == 0.5).all()


def test_the_ball_in_its_cube(folder: Bench, data: Any, made: Mapping[str, Figure]) -> None:
    volumes = {1: 1.0, 2: math.pi / 4, 3: math.pi / 6, 10: 0.0024904, 20: 2.461e-8}
    assert {d: 10 ** log_share(d) for d in volumes} == pytest.approx(volumes, rel=1e-4)
    (axes,) = made["ball-over-cube"].axes
    curve, *spots = axes.lines
    assert dict(zip(*(list(part) for part in curve.get_data()), strict=True))[3] == pytest.approx(math.pi / 6)  # type: ignore[arg-type]
    found = {str(spot.get_label()): spot for spot in spots}
    inside = float(found["cloud(prior=uniform, dim=2)"].get_ydata()[0])  # type: ignore[index]
    assert inside == pytest.approx(math.pi / 4, abs=4 * math.sqrt(0.17 / 120))
    said = " ".join(made["ball-over-cube"].get_supxlabel().split())
    assert "Not drawn: cloud(dim=60), where 0 of 120 points are inside" in said and "has 3e−36 of its cube" in said


def test_other_protocols_have_no_such_figures(data: Any) -> None:
    plain = {**data, "cells": [{**each, "parameters": {}} for each in data["cells"]]}
    assert not any(
        "ball" in name or "occurrences" in name for name in figures(StoredRun(from_json(plain), Path("nowhere")))
    )
