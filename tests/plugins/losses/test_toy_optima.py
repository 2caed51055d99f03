"""Where losses put the threshold on three and on five points: against scipy, and the published optima."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy
import pytest
import scipy.optimize
import scipy.special
import torch
from torch import Tensor

from harness import replace_fields
from harness.discovery.registry import component
from tests.plugins.points import SETS, model, points, threshold


def accuracy(logits: Tensor, target: Tensor) -> float:
    return float(component("metric", "accuracy")(logits, target).mean())


Risk = Callable[[Any], Any]
RISKS: dict[str, Risk] = {
    "cross_entropy": lambda z: numpy.logaddexp(0, -z),
    "exact": lambda z: scipy.special.ndtr(-z / math.sqrt(2)),
    "sigmoid_error": lambda z: scipy.special.expit(-z),
}


def best(name: str, risk: Risk, scale: float, bounds: tuple[float, float]) -> float:
    """The threshold with the least mean risk of y k (x - b), y = +-1, by scipy."""
    x, y = (numpy.array(part, float) for part in SETS[name])
    signs = 2 * y - 1
    found = scipy.optimize.minimize_scalar(
        lambda b: risk(signs * scale * (x - b)).mean(), bounds=bounds, method="bounded", options={"xatol": 1e-10}
    )
    return float(found.x)


def fitted(name: str, loss: Any, start: float, **fields: Any) -> tuple[float, float]:
    """(threshold, accuracy) of the model at the minimum next to a start."""
    network, (x, y) = model(**fields), points(name)
    weight = network.get_parameter("threshold")
    weight.data.fill_(start)
    search = torch.optim.LBFGS(
        [weight], max_iter=500, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        search.zero_grad()
        value: Tensor = loss(network(x), y).mean()
        value.backward()
        return value

    search.step(closure)
    logits = network(x).detach()
    return threshold(x, logits), accuracy(logits, y)


@pytest.mark.verify
@pytest.mark.parametrize(
    ("slope", "published", "right"),
    [(1, 0.7001, 2), (2, 0.3604, 2), (4, 0.2007, 3), (8, 0.1386, 3), (16, 0.1257, 3), (32, 0.1250, 3)],
)
def test_cross_entropy_needs_a_slope_of_four_to_separate_three_points(
    slope: float, published: float, right: int
) -> None:
    b, share = fitted("three_points", component("loss", "cross_entropy"), 0.1, slope=slope)
    assert b == pytest.approx(best("three_points", RISKS["cross_entropy"], slope, (0, 2)), abs=1e-5)
    assert b == pytest.approx(published, abs=6e-5)
    assert share == pytest.approx(right / 3)


@pytest.mark.verify
@pytest.mark.parametrize(
    ("temperature", "published", "right"), [(0.05, 0.1250, 3), (0.1, 0.1283, 3), (0.2, 0.2190, 3), (0.3, 0.4063, 2)]
)
def test_exact_separates_three_points_while_its_temperature_is_low(
    temperature: float, published: float, right: int
) -> None:
    b, share = fitted("three_points", component("loss", "exact", temperature=temperature), 0.1)
    assert b == pytest.approx(best("three_points", RISKS["exact"], 1 / temperature, (0, 1)), abs=1e-5)
    assert b == pytest.approx(published, abs=6e-5)
    assert share == pytest.approx(right / 3)


@pytest.mark.verify
@pytest.mark.parametrize(("slope", "published", "right"), [(2, 2.050, 2), (4, 0.338, 2), (8, 0.151, 3), (16, 0.126, 3)])
def test_the_sigmoid_error_needs_a_slope_of_eight(slope: float, published: float, right: int) -> None:
    b, share = fitted("three_points", component("loss", "sigmoid_error"), 0.1, slope=slope)
    assert b == pytest.approx(best("three_points", RISKS["sigmoid_error"], slope, (0, 3)), abs=1e-4)
    assert b == pytest.approx(published, abs=6e-4)
    assert share == pytest.approx(right / 3)


def test_hinge_is_flat_where_it_is_wrong() -> None:
    network, (x, y) = model(), points("three_points")
    values = []
    for b in (0.125, 0.74, 0.75, 0.9, 1.0, 1.01):
        network.get_parameter("threshold").data.fill_(b)
        values.append(float(component("loss", "hinge")(network(x), y).detach().mean()))
    assert values[2:5] == pytest.approx([7 / 12] * 3)
    assert min(values[0], values[1], values[5]) > 7 / 12 + 1e-3


def test_five_points_cost_cross_entropy_two_errors_and_exact_one() -> None:
    cross_entropy, exact = component("loss", "cross_entropy"), component("loss", "exact", temperature=0.3)
    assert fitted("five_points", cross_entropy, 0.0) == (pytest.approx(-4.225, abs=6e-4), pytest.approx(0.6))
    assert fitted("five_points", exact, -5.3) == (pytest.approx(-5.5, abs=1e-3), pytest.approx(0.8))
    network, (x, y) = model(), points("five_points")
    grid = torch.linspace(-8, 4, 241)
    values = []
    for b in grid:
        network.get_parameter("threshold").data.fill_(b)
        values.append(float(exact(network(x), y).detach().mean()))
    assert float(grid[numpy.argmin(values)]) == pytest.approx(-5.5, abs=0.051)


def descended(steps: int, lr: float) -> tuple[float, float]:
    """(b, sigma) by gradient descent on the mean of Phi(-z), z = y (x - b) / (sigma sqrt 2), from b = log sigma = 0."""
    x, y = (numpy.array(part, float) for part in SETS["three_points"])
    signs, b, u = 2 * y - 1, 0.0, 0.0
    for _ in range(steps):
        scale = math.exp(u) * math.sqrt(2)
        z = signs * (x - b) / scale
        density = numpy.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        b, u = b - lr * (density * signs).mean() / scale, u - lr * (density * z).mean()
    return b, math.exp(u)


def test_the_published_descent_is_at_its_goal_after_five_thousand_steps() -> None:
    assert descended(1000, 0.01) == (pytest.approx(0.738, abs=6e-4), pytest.approx(0.438, abs=6e-4))
    assert descended(5000, 0.01) == (pytest.approx(0.125, abs=1e-4), pytest.approx(0.02956, abs=1e-5))


@pytest.mark.verify
def test_exact_with_a_learned_temperature_descends_to_the_goal() -> None:
    network, (x, y), loss = model(), points("three_points"), component("loss", "exact")
    log_sigma = torch.zeros((), dtype=torch.float64, requires_grad=True)
    descent = torch.optim.SGD([network.get_parameter("threshold"), log_sigma], lr=0.05)
    for _ in range(1000):
        descent.zero_grad()
        replace_fields(loss, {("temperature",): log_sigma.exp()})(network(x), y).mean().backward()
        descent.step()
    logits, sigma = network(x).detach(), float(log_sigma.detach().exp())
    assert (threshold(x, logits), sigma) == pytest.approx(descended(1000, 0.05), rel=1e-6)
    assert accuracy(logits, y) == 1.0
