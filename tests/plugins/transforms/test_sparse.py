"""Sparsemax and entmax against optimizers, high precision and the entmax package where it is installed."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.optimize
import torch
from torch import Tensor

from harness import replace_fields
from harness.discovery.registry import component

ALPHAS = [0.2, 0.7, 1 - 1e-9, 1.0, 1 + 1e-9, 1.01, 1.3, 1.5, 2.0, 2.5, 4.0]


def logits(*shape: int, spread: float = 2.0, seed: int = 0) -> Tensor:
    return spread * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def entmax(alpha: float | Tensor, z: Tensor, log: bool = False) -> Tensor:
    transform = replace_fields(component("transform", "entmax"), {("alpha",): alpha})
    result: Tensor = transform.log(z) if log else transform(z)
    return result


def precise(alpha: float, z: list[float]) -> list[float]:
    """Entmax from its definition, by bisection with 60 digits."""
    with mpmath.workdps(60):
        e, z_ = mpmath.mpf(alpha) - 1, [mpmath.mpf(v) for v in z]
        top, n = max(z_), len(z)

        def p(t: Any) -> list[Any]:
            if e == 0:
                return [mpmath.exp(v - t) for v in z_]
            bases = [1 - e * (t - v) for v in z_]
            return [b ** (1 / e) if b > 0 else mpmath.mpf(0) for b in bases]

        low, high = top, top + (mpmath.log(n) if e == 0 else (1 - mpmath.mpf(n) ** -e) / e)
        for _ in range(180):
            middle = (low + high) / 2
            low, high = (middle, high) if mpmath.fsum(p(middle)) > 1 else (low, middle)
        return [float(v) for v in p(low)]


def test_known_answers() -> None:
    z = torch.tensor([[1.0, 0.5, -0.5], [1.0, 0.0, -1.0]], dtype=torch.float64)
    assert component("transform", "sparsemax")(z).tolist() == [[0.75, 0.25, 0.0], [1.0, 0.0, 0.0]]
    expected = torch.tensor([[0.67116399, 0.32404100, 0.00479501], [0.83071891, 0.16928109, 0]], dtype=torch.float64)
    torch.testing.assert_close(component("transform", "entmax")(z), expected, atol=1e-8, rtol=0)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_sparsemax_is_the_nearest_distribution(n: int) -> None:
    z = logits(n, seed=n, spread=1.0)
    found = scipy.optimize.minimize(
        lambda p: 0.5 * ((p - z.numpy()) ** 2).sum(),
        np.full(n, 1 / n),
        jac=lambda p: p - z.numpy(),
        bounds=[(0, 1)] * n,
        constraints={"type": "eq", "fun": lambda p: p.sum() - 1, "jac": lambda p: np.ones(n)},
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500},
    )
    assert component("transform", "sparsemax")(z).tolist() == pytest.approx(found.x.tolist(), abs=1e-7)


def test_sparsemax_is_the_published_sort() -> None:
    z = logits(50, 30)
    ordered, places = z.sort(-1, descending=True).values, torch.arange(1, 31)
    sums = ordered.cumsum(-1)
    k = (1 + places * ordered > sums).sum(-1, keepdim=True)
    expected = (z - (sums.gather(-1, k - 1) - 1) / k).clamp(min=0)
    torch.testing.assert_close(component("transform", "sparsemax")(z), expected, atol=1e-14, rtol=0)


@pytest.mark.verify
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("n", [2, 5])
def test_entmax_is_its_definition(alpha: float, n: int) -> None:
    z = logits(n, seed=n)
    expected = precise(alpha, z.tolist())
    assert entmax(alpha, z).tolist() == pytest.approx(expected, abs=2e-13 if alpha <= 2 else 1e-9)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_support_and_order_of_size(alpha: float) -> None:
    p = entmax(alpha, 5 * logits(100, 8))
    assert bool((p == 0).any()) == (alpha > 1.1) or alpha == 1.01
    assert (p.sum(-1) - 1).abs().max() < 1e-14


def test_ends_of_the_family() -> None:
    z = logits(20, 9)
    assert torch.equal(component("transform", "entmax", alpha=1)(z), z.softmax(-1))
    torch.testing.assert_close(entmax(torch.tensor(1.0), z, log=True), z.log_softmax(-1), atol=1e-13, rtol=0)
    torch.testing.assert_close(entmax(2.0, z), component("transform", "sparsemax")(z), atol=1e-14, rtol=0)
    for e in (1e-4, 1e-8, 1e-12):
        for alpha in (1 - e, 1 + e):
            assert (entmax(alpha, z) - z.softmax(-1)).abs().max() < 3 * e + 1e-14


def test_small_probabilities_have_a_correct_logarithm() -> None:
    z = torch.tensor([0.0, -60.0, -300.0], dtype=torch.float64)
    for alpha in (0.5, 0.99, 1.0, 1.001):
        expected = [math.log(p) for p in precise(alpha, z.tolist())]
        assert entmax(alpha, z, log=True).tolist() == pytest.approx(expected, rel=1e-12, abs=1e-15)
    float32 = torch.tensor([0.0, -400.0])
    assert entmax(0.999, float32)[1] == 0 and entmax(0.999, float32, log=True).isfinite().all()
    assert entmax(1.5, z, log=True).tolist() == [0.0, -math.inf, -math.inf]


@pytest.mark.verify
@pytest.mark.parametrize("alpha", [0.7, 1.0, 1.3, 2.0, 2.5])
def test_both_derivatives_equal_finite_differences_in_logits_and_alpha(alpha: float) -> None:
    z = logits(1, 4, seed=5).requires_grad_()
    a = torch.tensor(alpha, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(entmax, (a, z))
    assert torch.autograd.gradgradcheck(entmax, (a, z))

    def inside(a: Tensor, z: Tensor) -> Tensor:
        return entmax(a, z, log=True).clamp(min=-700.0)

    assert torch.autograd.gradcheck(inside, (a, z))


def test_gradient_in_alpha_is_smooth_through_one() -> None:
    z, offsets = logits(6, seed=2), torch.tensor([-1e-2, -1e-5, -1e-8, 0.0, 1e-8, 1e-5, 1e-2], dtype=torch.float64)
    slopes = torch.func.vmap(torch.func.grad(lambda a: entmax(a, z)[0]))(1 + offsets)
    shannon = z.log_softmax(-1).square() / 2  # d p / d alpha = -(diag(p) - p p^T) (log p)^2 / 2
    p = z.softmax(-1)
    assert slopes[3].item() == pytest.approx(-(p[0] * (shannon[0] - p @ shannon)).item(), rel=1e-12)
    assert ((slopes - slopes[3]).abs() <= 2 * offsets.abs() + 1e-13).all()


@pytest.mark.parametrize("spec", [{"name": "sparsemax"}, *({"name": "entmax", "alpha": a} for a in (0.5, 1.5, 3.0))])
def test_jacobian_is_symmetric_and_its_rows_sum_to_zero(spec: dict[str, Any]) -> None:
    jacobian: Any = torch.autograd.functional.jacobian(component("transform", **spec), logits(9, spread=1.0))
    assert (jacobian - jacobian.T).abs().max() < 1e-14 and jacobian.sum(0).abs().max() < 1e-14


def test_sparsemax_derivatives() -> None:
    sparsemax, z = component("transform", "sparsemax"), logits(4, 6, spread=0.5, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(sparsemax, z) and torch.autograd.gradgradcheck(sparsemax, z)
    p = sparsemax(z)
    (gradient,) = torch.autograd.grad(p[0, 0], z)
    inside = p[0] > 0
    assert gradient[0].tolist() == pytest.approx(
        (inside * ((torch.arange(6) == 0).double() - 1 / inside.sum())).tolist()
    )


@pytest.mark.parametrize("alpha", [0.5, 1.5, 1.99, 2.0, 3.0])
def test_many_classes_at_awkward_distances(alpha: float) -> None:
    k = torch.arange(50_000, dtype=torch.float64)
    rows = torch.stack([-1e-3 * (k / 5000).exp2(), -k / 5e4, -((k / 5e4) ** 0.5), 1 / (k + 1), 0 * k])
    transform = component("transform", "sparsemax") if alpha == 2 else component("transform", "entmax", alpha=alpha)
    for z, error in ((rows, 1e-13), (rows.float(), 1e-6)):
        p = transform(z.requires_grad_())
        (gradient,) = torch.autograd.grad(p[:, 0].sum(), z)
        assert (p.double().sum(-1) - 1).abs().max() < error and gradient.isfinite().all()
        torch.testing.assert_close(p[-1] * 5e4, torch.ones_like(p[-1]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("alpha", [1.1, 1.5, 2.0])
def test_float32_is_within_two_millionths(alpha: float) -> None:
    z = logits(8, 1000).float()
    assert (entmax(alpha, z).double() - entmax(alpha, z.double())).abs().max() < 2e-6


def test_alpha_can_be_mapped_beside_or_without_the_logits() -> None:
    alphas, z = torch.tensor([0.8, 1.0, 1.5, 2.0]), logits(4, 6, 5).float()
    slope = torch.func.grad(lambda a, x: entmax(a, x)[:, 0].mean(), argnums=(0, 1))
    for dims in ((0, 0), (0, None), (None, 0)):
        mapped = torch.func.vmap(slope, dims)(alphas if dims[0] == 0 else alphas[0], z if dims[1] == 0 else z[0])
        for k in range(4):
            one = slope(alphas[k if dims[0] == 0 else 0], z[k if dims[1] == 0 else 0])
            for part, expected in zip(mapped, one, strict=True):
                torch.testing.assert_close(part[k], expected)


@pytest.mark.parametrize("alpha", [1.2, 1.5, 2.0, 2.5])
def test_agrees_with_the_entmax_package(alpha: float) -> None:
    package = pytest.importorskip("entmax")
    z = logits(30, 40).float()
    theirs = {1.5: package.entmax15, 2.0: package.sparsemax}.get(alpha, lambda x: package.entmax_bisect(x, alpha))
    assert (entmax(alpha, z) - theirs(z)).abs().max() < 5e-6
