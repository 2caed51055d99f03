"""Three and five points on a line, the threshold model, and the metrics that tell where it ended up and why."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest
import scipy.stats
import torch
from torch import Tensor

from harness import BenchError, Examples
from harness.artifacts import check
from harness.discovery.registry import component
from harness.protocols.accuracy.split import split
from tests.plugins.points import SETS, model, points, threshold

EVERY = pytest.mark.parametrize("name", SETS)


def load(name: str) -> Examples:
    data: Examples = component("dataset", name).load(torch.Generator())
    return data


@EVERY
@pytest.mark.parametrize("policy", ["seed", "fixed"])
def test_every_part_is_the_whole_table(name: str, policy: str) -> None:
    data = load(name)
    check(data)
    for part in split(data, [0, 1], policy):
        for index, labels in zip(part.index, part.labels, strict=True):
            found = sorted(zip(data.inputs[index, 0].tolist(), labels.tolist(), strict=True))
            assert found == list(zip(*SETS[name], strict=True))


@pytest.mark.parametrize("slope", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("learned", [False, True])
def test_the_model_is_a_line_through_its_threshold(slope: float, learned: bool) -> None:
    network = model(slope=slope, learn_slope=learned)
    x = torch.linspace(-3, 3, 7, dtype=torch.float64)[:, None]
    torch.testing.assert_close(network(x), torch.cat([0 * x, slope * x], 1), atol=1e-6, rtol=1e-6)
    network.get_parameter("threshold").data += 0.5
    logits = network(x)
    torch.testing.assert_close(logits, torch.cat([0 * x, slope * (x - 0.5)], 1), atol=1e-6, rtol=1e-6)
    logits[:, 1].sum().backward()
    moving = [weight for weight in network.parameters() if weight.requires_grad]
    assert len(moving) == 1 + learned
    gradients = sorted(float(weight.grad) for weight in moving if weight.grad is not None)
    # of sum_x e^u (x - b): -7 e^u in b, and the sum itself, 7 slope (0 - 0.5), in u
    assert gradients == pytest.approx(sorted([-7 * slope, -3.5 * slope][: 1 + learned]), rel=1e-6)


@pytest.mark.verify
def test_thresholds_start_at_normal_draws_with_the_spread_as_deviation() -> None:
    torch.manual_seed(0)
    starts = numpy.array([model(spread=3.0).get_parameter("threshold").item() for _ in range(400)])
    assert scipy.stats.kstest(starts, "norm", args=(0, 3)).pvalue > 0.01
    assert {model().get_parameter("threshold").item() for _ in range(3)} == {0.0}


@pytest.mark.parametrize("shape", [(2, 2), (1, 3)])
def test_the_model_wants_a_line_and_two_classes(shape: tuple[int, int]) -> None:
    with pytest.raises(BenchError, match="one column and two classes"):
        component("model", "threshold").build(*shape)


@pytest.mark.parametrize("b", [-40.0, -0.1, 0.2, 0.3, 1e3])
@pytest.mark.parametrize("slope", [-2.0, 1e-3, 1.0, 1e3])
def test_the_threshold_of_affine_logits_is_where_they_meet(b: float, slope: float) -> None:
    x = torch.tensor([[0.1], [-0.7], [0.9], [0.3]], dtype=torch.float64)
    common = torch.tensor([[3.0], [-1.0], [0.0], [7.0]], dtype=torch.float64)  # moves both logits of an example
    logits = torch.cat([-0.25 * slope * (x - b), 0.75 * slope * (x - b)], 1) + common
    assert threshold(x, logits) == pytest.approx(b, rel=1e-9)


def test_logits_that_never_meet_have_no_threshold() -> None:
    x, _ = points("three_points")
    assert not math.isfinite(threshold(x, torch.tensor([[0.0, 1.0]], dtype=torch.float64).expand(3, 2)))


def test_the_threshold_wants_a_line_and_two_classes() -> None:
    for columns, classes in ((2, 2), (1, 3)):
        with pytest.raises(BenchError, match="one column and two classes"):
            threshold(torch.zeros(4, columns), torch.zeros(4, classes))


def separable(inputs: Tensor, target: Tensor) -> float:
    return float(component("metric", "linearly_separable")(inputs, target))


def test_three_points_are_separable_and_five_are_not() -> None:
    assert [separable(load(name).inputs, load(name).targets) for name in SETS] == [1.0, 0.0]


def in_runs(x: Any, y: Any) -> bool:
    """On a line: the class of the largest of affine scores is constant on intervals, and any intervals can be had."""
    values = {v: set(y[x == v]) for v in sorted(set(x))}
    if any(len(labels) > 1 for labels in values.values()):
        return False
    order = [labels.pop() for labels in values.values()]
    runs = [label for k, label in enumerate(order) if k == 0 or label != order[k - 1]]
    return len(runs) == len(set(runs))


@pytest.mark.verify
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_separable_on_a_line_means_that_every_class_is_one_run(classes: int) -> None:
    g = numpy.random.default_rng(0)
    found = set()
    for _ in range(30):
        x, y = g.integers(-3, 4, 5) * 1.0, g.integers(0, classes, 5)
        expected = in_runs(x, y)
        assert separable(torch.tensor(x)[:, None], torch.tensor(y)) == expected
        found.add(expected)
    assert found == {True, False}


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_separable_in_the_plane(scale: float) -> None:
    corners = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float64) * scale + 100 * scale
    assert separable(corners, torch.tensor([0, 1, 1, 0])) == 0.0
    assert separable(corners, torch.tensor([0, 0, 0, 1])) == 1.0
    assert separable(corners, torch.tensor([0, 1, 2, 3])) == 1.0
    g = torch.Generator().manual_seed(0)
    x, w = torch.randn(50, 3, generator=g, dtype=torch.float64), torch.randn(3, 4, generator=g, dtype=torch.float64)
    y = (x @ w).argmax(1)
    assert separable(scale * x, y) == 1.0
    first = x[y == 0]
    amid = torch.cat([first, first.mean(0, keepdim=True)])  # inside the hull of the others
    assert separable(scale * amid, torch.tensor([0] * len(first) + [1])) == 0.0
