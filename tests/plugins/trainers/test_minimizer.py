"""Exact minimizers of the threshold models, against closed forms and scipy."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import scipy.optimize
import torch

from harness import Subset, TrainingJob, component
from tests.plugins.points import SETS, threshold


def job(name: str, loss: Any, starts: list[float], **fields: Any) -> TrainingJob:
    """A job on the whole table, with one seed for each start of the threshold."""
    x, y = SETS[name]
    index = torch.arange(len(x)).repeat(len(starts), 1)
    part = Subset(torch.tensor(x)[:, None], index, torch.tensor(y)[index])

    def model(k: int = 0) -> Any:
        network = component("model", "threshold", **fields).build(1, 2)
        network.get_parameter("threshold").data.fill_(starts[k])
        return network

    return TrainingJob(
        loss=loss, model=model, train=part, validation=part, test=part, classes=2,
        settings=SimpleNamespace(weight_decay=0.0), seeds=list(range(len(starts))), lr=[0.0] * len(starts),
        generator=lambda *_: torch.Generator(), device="cpu", folder=Path(), on_progress=lambda *_: None,
    )  # fmt: skip


def thresholds(name: str, loss: Any, starts: list[float], **fields: Any) -> list[float]:
    outcome = component("trainer", "minimizer").fit(job(name, loss, starts, **fields))
    x = torch.tensor(SETS[name][0], dtype=torch.float64)[:, None]
    return [threshold(x, logits) for logits in outcome.test]


@pytest.mark.parametrize(("slope", "b"), [(1.0, 0.7000875), (4.0, 0.2007336)])
def test_cross_entropy_on_three_points(slope: float, b: float) -> None:
    found = thresholds("three_points", component("loss", "cross_entropy"), [0.0, 9.0], slope=slope)
    assert found == pytest.approx([b, b], abs=1e-6)


def test_the_nearest_point_of_a_flat_minimum_is_taken() -> None:
    low, middle, high = thresholds("three_points", component("loss", "hinge"), [-1.0, 0.9, 4.0])
    assert low == pytest.approx(0.75, abs=0.01)
    assert middle == pytest.approx(0.9, abs=0.01)
    assert high == pytest.approx(1.0, abs=0.01)
    assert 0.75 <= low < middle < high <= 1.0


@pytest.mark.verify
def test_the_global_minimum_is_found_from_every_start() -> None:
    exact = component("loss", "exact", temperature=0.3)
    found = thresholds("five_points", exact, [-20.0, 0.0, 1.0, 20.0])
    assert found == pytest.approx([-5.500692] * 4, abs=1e-5)


def test_a_slope_is_searched_together_with_the_threshold() -> None:
    x, y = (numpy.array(part, float) for part in SETS["five_points"])

    def risk(v: Any) -> float:
        return float(numpy.logaddexp(0, -(2 * y - 1) * math.exp(v[1]) * (x - v[0])).mean())

    runs = [scipy.optimize.minimize(risk, start, tol=1e-12) for start in ([-4, 0], [-8, -2], [0, -3])]
    best = min(runs, key=lambda run: run.fun)
    found = thresholds("five_points", component("loss", "cross_entropy"), [0.0], learn_slope=True)
    assert found == pytest.approx([best.x[0]], abs=1e-4)


def test_a_learned_temperature_is_a_parameter() -> None:
    loss = component("loss", "exact", temperature={"learn": 1.0})
    outcome = component("trainer", "minimizer").fit(job("three_points", loss, [0.0]))
    assert float(component("metric", "accuracy")(outcome.test[0], torch.tensor([0, 0, 1])).mean()) == 1.0
    assert outcome.learned["temperature"][0] < 0.1


@pytest.mark.parametrize(
    ("loss", "fields", "reason"),
    [
        ({"name": "exact", "temperature": {"geometric": [1, 0.1]}}, {}, "changes during training"),
        ({"name": "exact", "temperature": {"learn": 1.0}}, {"learn_slope": True}, "at most 2 parameters"),
    ],
)
def test_what_has_no_minimizer_is_skipped(loss: dict[str, Any], fields: dict[str, Any], reason: str) -> None:
    found = component("trainer", "minimizer").skip(job("three_points", component("loss", **loss), [0.0], **fields))
    assert reason in found
