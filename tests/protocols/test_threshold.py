"""Examples on a decision threshold: found where the loss's minimum lies on a data point, and nowhere else."""

from __future__ import annotations

import dataclasses
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
import torch
from torch import Tensor

from harness import Subset, component
from harness.analysis import analyse
from harness.kinds.evaluation import Measurements
from harness.protocols.accuracy.scoring import Answers, on_decisions
from harness.protocols.accuracy.threshold import gaps, near_threshold, on_threshold
from harness.report import render
from harness.results import ReasonKind, Verdict, threshold
from tests.helpers.analysis import measured

from .sessions import open_session

POINTS, LABELS = torch.tensor([-6.0, -5.0, -4.0, 0.0, 2.0]), torch.tensor([0, 1, 1, 0, 1])
SEEDS = 32


def shares(thresholds: Tensor, points: Tensor = POINTS, labels: Tensor = LABELS) -> list[float] | None:
    """Those of thresholds b [s] on a line, whose logits are (0, x - b)."""
    logits = torch.stack([torch.zeros(len(thresholds), len(points)), points - thresholds[:, None]], -1)
    right = (logits.argmax(-1) == labels).double()
    numbers = [torch.arange(len(points))] * len(thresholds)
    return on_threshold([gaps(one) for one in logits], list(right), numbers)


def jitter(center: float, size: float) -> Tensor:
    return center + size * torch.linspace(-1, 1, SEEDS)


@pytest.mark.parametrize("size", [1e-5, 0.01, 0.05])
@pytest.mark.parametrize("point", [-6.0, -5.0, -4.0, 0.0, 2.0])
def test_a_threshold_that_jitters_around_a_point_decides_nothing(point: float, size: float) -> None:
    assert shares(jitter(point, size)) == pytest.approx([0.2] * SEEDS)


@pytest.mark.parametrize(
    "thresholds",
    [
        jitter(-5.5, 0.01),  # no point near
        jitter(-5.0, 3.0),  # seeds that end far apart
        jitter(-4.95, 0.01),  # a point near, on the same side for every seed
        torch.cat([jitter(-5.0, 0.01)[:20], jitter(-5.5, 0.01)[:12]]),  # on the point for some seeds alone
    ],
)
def test_elsewhere_the_loss_decides(thresholds: Tensor) -> None:
    assert shares(thresholds) is None


def test_few_seeds_tell_nothing_and_copies_of_the_point_count() -> None:
    assert shares(jitter(-5.0, 0.01)[12:19]) is None
    points, labels = torch.cat([POINTS, POINTS[1:2]]), torch.cat([LABELS, LABELS[1:2]])
    assert shares(jitter(-5.0, 0.01), points, labels) == pytest.approx([1 / 3] * SEEDS)


@pytest.mark.parametrize("size", [0.01, 3.0])
def test_seeds_apart_have_the_share_of_seeds_together(size: float) -> None:
    logits = [torch.stack([torch.zeros(5), POINTS - b], -1) for b in jitter(-5.0, size)]
    right, numbers = [(one.argmax(-1) == LABELS).double() for one in logits], torch.arange(5)
    apart = [near_threshold(gaps(one), each, numbers) for one, each in zip(logits, right, strict=True)]
    together = on_threshold([gaps(one) for one in logits], right, [numbers] * SEEDS)
    assert threshold.shares([one for one in apart if one]) == (together or [0.0] * SEEDS)
    assert not any(threshold.shares([one for one in apart[12:19] if one]))


def test_a_metric_that_is_no_decision_has_no_threshold() -> None:
    near = [torch.zeros(5)] * SEEDS
    assert on_threshold(near, [torch.rand(5) for _ in near], [torch.arange(5)] * SEEDS) is None


def test_gaps_are_relative_and_masked_classes_do_not_count() -> None:
    scores = torch.tensor([[1.0, 0.0, -math.inf], [0.0, 5.0, 2.0], [4.0, -math.inf, -math.inf]])
    found = gaps(scores)
    assert found.tolist() == pytest.approx([1 / 5**0.5, 3 / 5**0.5, math.inf])
    assert gaps(8 * scores).tolist() == pytest.approx(found.tolist())
    assert gaps(torch.zeros(3, 2, 2)).isnan().all() and gaps(torch.zeros(3, 1)).isnan().all()


@pytest.mark.verify
@pytest.mark.parametrize(("loss", "expected"), [("hinge", 0.2), ("cross_entropy", None)])
def test_the_five_points_of_the_fault(loss: str, expected: float | None, tmp_path: Path) -> None:
    data = component("dataset", "five_points").load(torch.Generator())
    metrics = {name: component("metric", name) for name in ("accuracy", "nll")}
    settings: dict[str, Any] = {"epochs": 1000, "batch": 5, "optimizer": "sgd", "lr": 0.05}
    session = open_session(tmp_path, loss=loss, data=data, metrics=metrics, **settings)
    session._case.components["model"] = component("model", "threshold", spread=4.0)
    found = session.measure(range(32), {}).on_threshold
    assert found == ({} if expected is None else {"accuracy": pytest.approx([expected] * 32)})


@pytest.mark.verify
@pytest.mark.parametrize(("loss", "expected"), [("hinge", 0.2), ("cross_entropy", 0.0)])
def test_seeds_measured_one_by_one_tell_it_together(loss: str, expected: float, tmp_path: Path) -> None:
    data = component("dataset", "five_points").load(torch.Generator())
    metrics = {name: component("metric", name) for name in ("accuracy", "balanced_accuracy", "nll")}
    settings: dict[str, Any] = {"epochs": 1000, "batch": 5, "optimizer": "sgd", "lr": 0.05}
    session = open_session(tmp_path, loss=loss, data=data, metrics=metrics, **settings)
    session._case.components["model"] = component("model", "threshold", spread=4.0)
    session._case.components["trainer"] = component("trainer", "loop")
    blocks = [session.measure([seed], {}) for seed in range(16)]
    assert all(block.on_threshold == {} and "nll" not in block.near_threshold for block in blocks)
    assert near_shares(blocks, "accuracy") == pytest.approx([expected] * 16)
    sides = [
        by_sign(torch.stack([torch.zeros(5), POINTS - b], -1), LABELS, "balanced_accuracy") for b in (-5.01, -4.99)
    ]
    reach = abs(sides[0] - sides[1]) if expected else 0.0
    assert near_shares(blocks, "balanced_accuracy") == pytest.approx([reach] * 16)


def near_shares(blocks: list[Measurements], label: str) -> list[float]:
    """Shares of seeds that were measured one by one."""
    return threshold.shares([one for block in blocks for one in block.near_threshold[label] if one is not None])


def run(values: list[float], share: float | None) -> Any:
    draw = np.random.default_rng(0)
    rows = {"ce": draw.normal(0.6, 0.001, SEEDS).tolist(), "hinge": values}
    about = {"parameters": {}, "tuned": {}, "status": "ok", "seconds": 1.0, "peak_memory": 1, "units": [], "notes": []}
    cells = [
        {"id": name, "vary": {"loss": name}, "seeds": list(range(SEEDS)), "metrics": {"accuracy": each}, **about}
        for name, each in rows.items()
    ]
    plan = {"axes": {"loss": ["ce", "hinge"]}, "contenders": ["loss"], "baseline": "ce", "cells": cells}
    found = measured({**plan, "metrics": [{"label": "accuracy", "higher_is_better": True}]})
    if share is not None:
        hinge = dataclasses.replace(found.cells[1], on_threshold={"accuracy": share})
        found = dataclasses.replace(found, cells=(found.cells[0], hinge))
    return analyse(found)


LUCKY = [0.8 if k % 3 else 0.6 for k in range(SEEDS)]


def test_a_difference_that_the_point_explains_has_no_verdict() -> None:
    found = run(LUCKY, 0.2).cells
    assert found[1].against["accuracy"].verdict is None
    assert found[1].against["accuracy"].why.kind is ReasonKind.ON_THRESHOLD
    assert found[0].best == found[1].best == {}
    text = " ".join(render(run(LUCKY, 0.2), "console").split())
    assert (
        "accuracy: the decision threshold lies on a data point, which can change it by 0.2" in text
        and "hinge beats" not in text
    )


def test_a_larger_difference_has_one() -> None:
    assert run(LUCKY, 0.05).cells[1].against["accuracy"].verdict is Verdict.BETTER
    assert run(LUCKY, None).cells[1].against["accuracy"].verdict is Verdict.BETTER


def by_sign(logits: Tensor, target: Tensor, name: str) -> float:
    """Scores of the decisions by scikit-learn."""
    predicted = (logits > 0).int() if target.ndim > 1 else logits.argmax(-1)
    judge: Any = {
        "balanced_accuracy": sklearn.metrics.balanced_accuracy_score,
        "f1_micro": partial(sklearn.metrics.f1_score, average="micro"),
        "f1_macro": partial(sklearn.metrics.f1_score, average="macro"),
    }[name]
    return float(judge(target.int().numpy(), predicted.numpy()))


METRICS = {name: component("metric", name) for name in ("balanced_accuracy", "f1_micro", "f1_macro", "nll", "ece")}


def answers(logits: Tensor, target: Tensor, task: str) -> Answers:
    inputs = torch.zeros(len(target), 1)
    loss = component("loss", "bce" if task == "multilabel" else "cross_entropy")
    return Answers(logits, Subset(inputs, torch.arange(len(target))[None], target[None]), task, loss, None)


@pytest.mark.parametrize(("center", "tie"), [(-5.0, 1), (0.0, 3), (-5.5, None)])
@pytest.mark.verify
def test_metrics_that_judge_by_the_sign_of_the_score_have_the_share_that_the_point_decides(
    center: float, tie: int | None
) -> None:
    seeds = [torch.stack([torch.zeros(5), POINTS - b], -1) for b in jitter(center, 0.01)]
    found = on_decisions(METRICS, [answers(logits, LABELS, "classes") for logits in seeds])
    if tie is None:
        assert found == {}
        return
    sides = []
    for predicted in (0, 1):  # the point on either side, by hand
        one = seeds[0].clone()
        one[tie] = torch.tensor([1.0 - predicted, float(predicted)])
        sides.append(one)
    for name in ("balanced_accuracy", "f1_micro", "f1_macro"):
        low, high = sorted(by_sign(one, LABELS, name) for one in sides)
        assert found[name] == pytest.approx([high - low] * SEEDS), name
    assert not {"nll", "ece"} & set(found)


@pytest.mark.verify
def test_a_label_on_its_threshold_decides_too() -> None:
    draw = torch.Generator().manual_seed(2)
    target = torch.randint(0, 2, (6, 3), generator=draw).float()
    base = torch.randn(6, 3, generator=draw) + 3 * (2 * target - 1)
    labels = {name: METRICS[name] for name in ("f1_micro", "f1_macro")} | {
        "mean_average_precision": component("metric", "mean_average_precision")
    }
    seeds, sides = [], []
    for shift in torch.linspace(-0.01, 0.01, SEEDS).tolist():
        logits = base.clone()
        logits[4, 1] = shift
        seeds.append(answers(logits, target, "multilabel"))
    for value in (-1.0, 1.0):
        one = base.clone()
        one[4, 1] = value
        sides.append(one)
    found = on_decisions(labels, seeds)
    for name in ("f1_micro", "f1_macro"):
        low, high = sorted(by_sign(one, target, name) for one in sides)
        assert high > low and found[name] == pytest.approx([high - low] * SEEDS), name
    assert on_decisions(labels, [answers(base, target, "multilabel")] * SEEDS) == {}
