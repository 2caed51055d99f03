"""Laplace noise: many classes, far ones, ties and masks, against closed forms and scipy's integration."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

import harness

F64 = torch.float64


def laplace(**fields: Any) -> Any:
    return harness.component("transform", "laplace", **fields)


def logits(*shape: int, seed: int = 0, spread: float = 1.0) -> Tensor:
    return spread * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def of_heaps(heaps: dict[float, int], at: float) -> float:
    """P that one class at `at` is the argmax among heaps {logit: classes}, over the value of its own noise."""

    def integrand(x: float) -> float:
        others = {m: count - (m == at) for m, count in heaps.items()}
        log = sum(count * stats.laplace.logcdf(x - m) for m, count in others.items())
        return float(np.exp(stats.laplace.logpdf(x - at) + log))

    high = max(heaps)
    ends = sorted({*heaps, min(heaps) - 5, *(high + np.array([1, 2, 4, 6, 8, 12, 20, 50.0]))})
    return math.fsum(
        integrate.quad(integrand, a, b, epsabs=0, epsrel=1e-12, limit=400)[0]
        for a, b in itertools.pairwise([min(heaps) - 60, *ends])
    )


@pytest.mark.verify
@pytest.mark.parametrize("distance", [0.0, 1e-6, 1.0, 40.0, 299.0, 301.0, 1e4, 1e9])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_the_logarithm_of_two_classes_is_its_closed_form_at_any_distance(distance: float, dtype: torch.dtype) -> None:
    z = torch.tensor([0.0, -distance], dtype=dtype, requires_grad=True)
    log_p = laplace().log(z)[1]
    exact = -distance + math.log((2 + distance) / 4)
    assert log_p.item() == pytest.approx(exact, rel=1e-7 if dtype == torch.float32 else 1e-14, abs=2e-7)
    (gradient,) = torch.autograd.grad(log_p, z)
    slope = 1 - 1 / (2 + distance)
    assert gradient.tolist() == pytest.approx([-slope, slope], rel=1e-6 if dtype == torch.float32 else 1e-12)


@pytest.mark.verify
@pytest.mark.parametrize(
    "heaps",
    [
        {0.0: 1, -3.0: 5000},
        {0.0: 1, -9.0: 30_000},
        {0.0: 12, -4.0: 12, -8.0: 1000},
        {0.0: 25, -0.01: 500},
        {0.0: 1, -30.0: 2, -31.0: 4, -50.0: 100},
    ],
)
def test_heaps_of_equal_classes_equal_adaptive_integration(heaps: dict[float, int]) -> None:
    z = torch.cat([torch.full((count,), m, dtype=F64) for m, count in heaps.items()])
    p, log_p, single = laplace()(z), laplace().log(z), laplace()(z.float())
    start = 0
    for m, count in heaps.items():
        expected = of_heaps(heaps, m)
        assert p[start].item() == pytest.approx(expected, rel=1e-10, abs=1e-300)
        assert log_p[start].item() == pytest.approx(math.log(expected), abs=1e-10)
        assert single[start].item() == pytest.approx(expected, rel=1e-4, abs=2e-7)
        assert torch.allclose(p[start : start + count], p[start].expand(count), rtol=1e-12, atol=0)
        start += count


@pytest.mark.parametrize("n", [1, 2, 40, 70, 1000])
def test_equal_logits_share_alike(n: int) -> None:
    assert torch.allclose(laplace().log(torch.zeros(n, dtype=F64)).exp() * n, torch.ones(n, dtype=F64), atol=1e-12)


@pytest.mark.verify
@pytest.mark.parametrize("spread", [0.0, 0.3, 2.0, 30.0])
def test_the_mass_is_one_without_being_made_so(spread: float) -> None:
    for n in (3, 60, 1000, 20_000):
        assert (laplace().mass(logits(4, n, spread=spread)) - 1).abs().max() < 1e-12
        assert (laplace().mass(logits(4, n, spread=spread).float()) - 1).abs().max() < 1e-6


@pytest.mark.parametrize("form", ["p", "log"])
def test_gradients_of_many_classes_with_ties_and_masks_are_finite_differences(form: str) -> None:
    function = laplace() if form == "p" else laplace().log
    z = logits(2, 90, spread=2.0)
    masked = z.masked_fill(torch.arange(90) % 7 == 3, -torch.inf)
    direction, weight = logits(2, 90, seed=1), logits(2, 90, seed=2)
    leaf = masked.clone().requires_grad_()
    value = (function(leaf).masked_fill(masked == -torch.inf, 0.0) * weight).sum()
    (gradient,) = torch.autograd.grad(value, leaf)
    assert (gradient[masked == -torch.inf] == 0).all()
    ahead, behind = (
        (function(masked + step * direction).masked_fill(masked == -torch.inf, 0.0) * weight).sum()
        for step in (1e-5, -1e-5)
    )
    assert ((ahead - behind) / 2e-5).item() == pytest.approx((gradient * direction).sum().item(), rel=1e-7, abs=1e-8)
    assert gradient.sum(-1).abs().max() < 1e-11


def test_a_heap_has_the_gradient_of_the_mean_maximum() -> None:
    """p is the gradient of E max, so moving one of n tied classes by d costs each of the others d / n' alike."""
    z = torch.zeros(500, dtype=F64, requires_grad=True)
    (gradient,) = torch.autograd.grad(laplace()(z)[7], z)
    # int f^2 F^(n - 2) dx (n - 1) in closed form: on the left u^2, on the right (1 - u)^2 with u = F, du = f dx.
    n = 500
    left = 0.5**n / n
    right = 1 / (n - 1) - 1 / n - (0.5 ** (n - 1) / (n - 1) - 0.5**n / n)
    assert gradient[7].item() == pytest.approx((n - 1) * (left + right), rel=1e-10)
    others = torch.cat([gradient[:7], gradient[8:]])
    assert torch.allclose(others, -gradient[7] / (n - 1), rtol=1e-9, atol=0)


def test_fifty_thousand_classes() -> None:
    z = logits(2, 50_000).float().requires_grad_()
    log_p = laplace().log(z)
    (gradient,) = torch.autograd.grad(log_p[:, 7].sum(), z)
    assert (log_p.detach().double().exp().sum(-1) - 1).abs().max() < 1e-5
    assert gradient.sum(-1).abs().max() < 1e-5 and (gradient[:, 7] > 0).all()
    exact = laplace().log(z.detach().double())
    assert (log_p.detach() - exact).abs().max() < 5e-6


def test_a_row_does_not_depend_on_its_neighbors() -> None:
    z = logits(3, 200, spread=2.0)
    z[1] *= 50
    z[2, :100] = -torch.inf
    for function in (laplace(), laplace().log):
        alone = torch.stack([function(row) for row in z])
        assert torch.allclose(function(z), alone, rtol=1e-13, atol=1e-15)
