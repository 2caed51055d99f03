"""Metrics of transforms against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from harness.discovery.registry import component

LOGITS = torch.tensor([[1.0, 0.0, -1.0]], dtype=torch.float64)


def test_the_mass_of_the_published_rule_is_short_by_the_published_amount() -> None:
    rule = component("transform", "gaussian", rule="published", nodes=10)
    metric = component("metric", "mass_error")
    assert metric(rule, LOGITS) == pytest.approx(0.0209, rel=0.02)
    assert metric(component("transform", "softmax"), LOGITS) is None


def test_the_odds_under_exponential_noise_depend_on_the_third_class() -> None:
    p = (0.76498833, 0.17564188)
    alone = 1 - math.exp(-1) / 2
    metric = component("metric", "iia_violation")
    assert metric(component("transform", "exponential"), LOGITS) == pytest.approx(abs(p[0] / sum(p) - alone), abs=1e-8)
    assert metric(component("transform", "exponential"), LOGITS[:, :2]) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("name", ["softmax", "spherical", "proportional"])
def test_ratios_of_functions_have_independent_odds(name: str) -> None:
    logits = torch.randn(20, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert component("metric", "iia_violation")(component("transform", name), logits) < 1e-12
