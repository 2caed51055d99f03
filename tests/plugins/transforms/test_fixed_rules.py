"""Quadrature at fixed levels, and proportional transforms, against numpy and published errors."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch
from scipy import special, stats

from harness.discovery.registry import component

LOGITS = torch.tensor([1.0, 0.0, -1.0], dtype=torch.float64)
EXACT = torch.tensor([0.72875102, 0.22409830, 0.04715068], dtype=torch.float64)


def build(name: str, **fields: Any) -> Any:
    return component("transform", name, **fields)


@pytest.mark.parametrize(
    ("rule", "nodes", "error", "tolerance"),
    [
        ("midpoints", 10, 6.0e-3, 0.02),
        ("midpoints", 100, 2.9e-4, 0.02),
        ("midpoints", 1000, 9.8e-6, 0.02),
        ("gauss_hermite", 8, 5.6e-5, 0.02),
        ("gauss_hermite", 16, 8.7e-8, 0.1),
    ],
)
def test_the_error_before_normalization_is_the_known_one(rule: str, nodes: int, error: float, tolerance: float) -> None:
    made = build("gaussian", rule=rule, nodes=nodes)
    exact = build("gaussian")(LOGITS)
    assert torch.allclose(exact, EXACT, atol=1e-8)
    found = float((made(LOGITS) * made.mass(LOGITS) - exact).abs().max())
    assert found == pytest.approx(error, rel=tolerance)


@pytest.mark.parametrize(("name", "noise"), [("logistic", stats.logistic), ("cauchy", stats.cauchy)])
def test_midpoints_are_those_of_numpy(name: str, noise: Any) -> None:
    nodes = noise.ppf((numpy.arange(7) + 0.5) / 7)
    mu = LOGITS.numpy()
    raw = [numpy.prod([noise.cdf(mu[i] - mu[j] + nodes) for j in range(3) if j != i], axis=0).mean() for i in range(3)]
    made = build(name, rule="midpoints", nodes=7)
    numpy.testing.assert_allclose(made(LOGITS).numpy(), numpy.array(raw) / sum(raw), rtol=1e-9)
    assert float(made.mass(LOGITS)) == pytest.approx(sum(raw), rel=1e-9)


def test_gauss_hermite_is_only_for_normal_noise() -> None:
    with pytest.raises(Exception, match="rule"):
        build("logistic", rule="gauss_hermite")


@pytest.mark.parametrize(
    ("function", "values"), [("softplus", lambda x: numpy.log1p(numpy.exp(x))), ("sigmoid", special.expit)]
)
def test_proportional_is_the_function_over_its_sum(function: str, values: Any) -> None:
    made, x = build("proportional", function=function), numpy.array([-3.0, 0.5, 2.0])
    expected = values(x) / values(x).sum()
    numpy.testing.assert_allclose(made(torch.tensor(x)).numpy(), expected, rtol=1e-12)
    numpy.testing.assert_allclose(made.log(torch.tensor(x)).numpy(), numpy.log(expected), rtol=1e-12)


@pytest.mark.parametrize("function", ["softplus", "sigmoid"])
def test_far_below_zero_a_proportional_transform_is_softmax(function: str) -> None:
    x = torch.tensor([-900.0, -901.0, -903.0], dtype=torch.float64)
    assert torch.allclose(build("proportional", function=function).log(x), x.log_softmax(-1), atol=1e-12)
