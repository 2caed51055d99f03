"""Quality against speed: who is on the front, who is matched with whom. Made-up results; the figure is really drawn."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from harness.errors import BenchError
from harness.figures import write
from harness.history.pareto import pareto
from harness.report import render

QUALITY, SPEED = (
    {"label": "accuracy", "better": "higher", "unit": None},
    {"label": "seconds", "better": "lower", "unit": "s"},
)


def result(metric: dict[str, Any], means: dict[str, float], half: float, **axis: list[Any]) -> dict[str, Any]:
    """A run of losses on the points of one more axis."""
    ((name, points),) = axis.items()
    cells = [
        {"id": f"{loss}{point}", "vary": {"loss": loss, name: point}, "parameters": {"loss": {"name": loss}}, "status": "ok",
         "seeds": [0], "metrics": {metric["label"]: {"values": [mean], "mean": mean, "low": mean - half, "high": mean + half,
                                                     "interval": "seeds", **metric}}}
        for point in points for loss, mean in means.items()
    ]  # fmt: skip
    return {"schema": 1, "suite": metric["label"], "run": f"run-{metric['label']}", "environment": {}, "interval": "seeds",
            "measure": [metric], "baseline": None, "within": None, "axes": {"loss": list(means), name: points}, "warnings": [],
            "contenders": ["loss"], "cells": cells}  # fmt: skip


ACCURACY = {"good": 0.9, "middle": 0.8, "near": 0.795, "bad": 0.5, "lost": 0.7}
TIME = {"good": 3.0, "middle": 2.0, "near": 2.0, "bad": 2.5, "other": 1.0}


@pytest.fixture
def joined() -> dict[str, Any]:
    return pareto(result(QUALITY, ACCURACY, 0.01, dataset=["digits", "wine"]), result(SPEED, TIME, 0.1, n=[10]))


def test_every_contender_of_both_is_there_on_every_pair_of_problems(joined: dict[str, Any]) -> None:
    places = [(cell["vary"]["loss"], cell["vary"]["dataset"], cell["vary"]["n"]) for cell in joined["cells"]]
    assert sorted(places) == sorted(itertools.product(["good", "middle", "near", "bad"], ["digits", "wine"], [10]))


def test_what_both_results_have_is_the_same_in_both() -> None:
    """Networks that are parts of both, and numbers of steps: a time stands beside the quality of its own."""
    quality, speed = (result(metric, {"good": 1.0}, 0.1, steps=[10, 20]) for metric in (QUALITY, SPEED))
    for run in (quality, speed):
        cells = [
            {**cell, "parameters": {**cell["parameters"], "denoiser": {"name": name}}}
            for cell in run["cells"]
            for name in "ab"
        ]
        run["cells"] = [
            {**cell, "vary": {**cell["vary"], "denoiser": cell["parameters"]["denoiser"]["name"]}} for cell in cells
        ]
        run["axes"]["denoiser"] = ["a", "b"]
    found = [(cell["vary"]["denoiser"], cell["vary"]["steps"]) for cell in pareto(quality, speed)["cells"]]
    assert sorted(found) == [("a", 10), ("a", 20), ("b", 10), ("b", 20)]


def test_the_best_are_those_nobody_beats_in_both(joined: dict[str, Any]) -> None:
    marks = {cell["vary"]["loss"]: cell["best"]["accuracy"] for cell in joined["cells"]}
    assert marks == {"good": "best", "middle": "best", "near": "tied", "bad": "beaten"}
    assert joined["answer"] == "Not beaten in both somewhere: good, middle."


def test_it_reads_as_a_table_and_a_figure(joined: dict[str, Any], tmp_path: Path) -> None:
    text = render(joined, "console")
    assert "accuracy ↑" in text and "seconds" in text and "★ 0.900" in text
    assert next(write(joined, tmp_path, tmp_path)).endswith("accuracy-against-seconds.png")
    assert (tmp_path / "accuracy-against-seconds.png").stat().st_size > 5000


def test_runs_without_a_common_contender_are_a_line() -> None:
    with pytest.raises(BenchError, match="no contender is measured in both run-accuracy and run-seconds"):
        pareto(result(QUALITY, {"one": 1.0}, 0.1, dataset=["digits"]), result(SPEED, {"other": 1.0}, 0.1, n=[1]))
