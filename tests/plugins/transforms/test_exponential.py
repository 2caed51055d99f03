"""Argmax under Gumbel, reverse Gumbel, exponential and negative exponential noise, against other ways to compute it."""

from __future__ import annotations

import itertools
import math
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.stats
import torch
from scipy.integrate import quad
from torch import Tensor

from harness import replace_fields
from harness.discovery.registry import component

LAWS: dict[str, Any] = {
    "softmax": scipy.stats.gumbel_r(),
    "reverse_gumbel": scipy.stats.gumbel_l(),
    "exponential": scipy.stats.expon(),
    "negative_exponential": None,  # mirrored by hand
}
EVERY = pytest.mark.parametrize("name", LAWS)


def logits(*shape: int, spread: float = 2.0, seed: int = 0) -> Tensor:
    return spread * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def adaptive(name: str, mu: list[float], i: int) -> float:
    """P(argmax = i) by scipy's adaptive quadrature over the noise of class i, between the kinks of the integrand."""
    gaps = mu[i] - np.delete(np.array(mu), i)
    law = LAWS[name] or scipy.stats.expon()
    density = (lambda e: math.exp(e)) if LAWS[name] is None else law.pdf
    below = (lambda z: np.exp(np.minimum(z, 0.0))) if LAWS[name] is None else law.cdf
    low, high = {"negative_exponential": (-40.0, 0.0), "exponential": (0.0, 40.0)}.get(name, (-40.0, 40.0))
    knots = sorted({low, high, *(float(k) for k in [*-gaps, -3.0, 0.0, 3.0] if low < k < high)})
    return math.fsum(
        quad(lambda e: density(e) * np.prod(below(gaps + e)), a, b, epsabs=1e-14, epsrel=1e-12, limit=200)[0]
        for a, b in itertools.pairwise(knots)
    )


@pytest.mark.parametrize(
    ("name", "two", "three"),
    [
        ("softmax", 0.8175744762, (0.66524096, 0.24472847, 0.09003057)),
        ("reverse_gumbel", 0.8175744762, (0.70188623, 0.24472847, 0.05338530)),
        ("exponential", 0.8884349199, (0.76498833, 0.17564188, 0.05936980)),
        ("negative_exponential", 0.8884349199, (0.80776243, 0.17564188, 0.01659569)),
    ],
)
def test_known_answers(name: str, two: float, three: tuple[float, ...]) -> None:
    transform = component("transform", name)
    assert transform(torch.tensor([1.5, 0.0], dtype=torch.float64))[0].item() == pytest.approx(two, abs=1e-10)
    assert transform(torch.tensor([1.0, 0.0, -1.0], dtype=torch.float64)).tolist() == pytest.approx(three, abs=1e-8)


@pytest.mark.verify
@EVERY
@pytest.mark.parametrize("n", [2, 3, 9])
def test_equals_adaptive_quadrature(name: str, n: int) -> None:
    mu = logits(n, seed=n)
    expected = [adaptive(name, mu.tolist(), i) for i in range(n)]
    assert component("transform", name)(mu).tolist() == pytest.approx(expected, abs=1e-11)


@pytest.mark.verify
@EVERY
@pytest.mark.parametrize("gap", [0.0, 1e-9, 0.3, 10.0, 40.0])
def test_two_classes_are_the_closed_form_even_far_apart(name: str, gap: float) -> None:
    last = component("transform", name).log(torch.tensor([gap, 0.0], dtype=torch.float64))[1].item()
    exact = -gap - math.log(2) if "exponential" in name else -gap - math.log1p(math.exp(-gap))
    assert last == pytest.approx(exact, rel=1e-13, abs=1e-13)


def test_reverse_gumbel_is_inclusion_and_exclusion() -> None:
    mu = logits(8, spread=1.5)
    with mpmath.workdps(50):
        rates = [mpmath.exp(-mpmath.mpf(m)) for m in mu.tolist()]
        expected = [
            float(
                mpmath.fsum(
                    (-1) ** k * rates[i] / (rates[i] + mpmath.fsum(some))
                    for k in range(8)
                    for some in itertools.combinations([r for j, r in enumerate(rates) if j != i], k)
                )
            )
            for i in range(8)
        ]
    log_p = component("transform", "reverse_gumbel").log(mu)
    assert log_p.tolist() == pytest.approx([math.log(p) for p in expected], rel=1e-10)


@pytest.mark.parametrize("n", [5, 200])
def test_exponential_is_the_polynomial_integrated_exactly(n: int) -> None:
    mu = logits(n)
    r = [mpmath.mpf(x) for x in (mu - mu.max()).exp().tolist()]

    def exact(i: int) -> Any:
        coefficients = [mpmath.mpf(1)]
        for j, rate in enumerate(r):
            if j != i:
                pairs = zip([*coefficients, 0], [0, *coefficients], strict=True)
                coefficients = [a - rate * b for a, b in pairs]
        return mpmath.log(r[i] * mpmath.fsum(c / (k + 1) for k, c in enumerate(coefficients)))

    log_p = component("transform", "exponential").log(mu).tolist()
    with mpmath.workdps(120):
        for i in (int(mu.argmax()), int(mu.argmin()), 0):
            assert log_p[i] == pytest.approx(float(exact(i)), abs=1e-12)


@pytest.mark.parametrize("n", [5, 300])
def test_negative_exponential_is_the_published_sum(n: int) -> None:
    mu = logits(n, spread=0.5)
    m, order = mu.sort(descending=True)
    with mpmath.workdps(60):
        values, sums, total = [mpmath.mpf(x) for x in m.tolist()], [], mpmath.mpf(0)
        for value in values:
            total += value
            sums.append(total)
        terms = [
            (mpmath.exp(k * values[k - 1] - sums[k - 1]) - (mpmath.exp(k * values[k] - sums[k - 1]) if k < n else 0))
            / k
            for k in range(1, n + 1)
        ]
        expected = [float(mpmath.log(mpmath.fsum(terms[i:]))) for i in range(n)]
    log_p = component("transform", "negative_exponential").log(mu)[order]
    assert log_p.tolist() == pytest.approx(expected, rel=1e-13, abs=1e-13)


@pytest.mark.verify
@EVERY
@pytest.mark.parametrize(("n", "spread"), [(1, 1.0), (7, 0.0), (40, 3.0), (1000, 0.0), (1000, 2.0)])
def test_sums_to_one_without_being_normalized(name: str, n: int, spread: float) -> None:
    p = component("transform", name)(logits(2, n, spread=spread))
    assert (p.sum(-1) - 1).abs().max() < 1e-10
    assert spread != 0 or torch.allclose(p, torch.full_like(p, 1 / n), rtol=1e-9)


@EVERY
def test_rsample_has_the_distribution(name: str) -> None:
    transform, mu, draws = component("transform", name, scale=0.7), logits(4, spread=1.0), 40_000
    sample = transform.rsample(mu.expand(draws, 4), torch.Generator().manual_seed(1))
    assert set(sample.unique().tolist()) == {0.0, 1.0} and bool((sample.sum(-1) == 1).all())
    p = transform(mu)
    assert ((sample.mean(0) - p).abs() < 4 * (p * (1 - p) / draws).sqrt()).all()


@EVERY
def test_rsample_repeats_with_its_generator_and_takes_any_dimension(name: str) -> None:
    transform, mu = component("transform", name), logits(5, 3).half().requires_grad_()
    one, two = (transform.rsample(mu, torch.Generator().manual_seed(1), dim=0) for _ in range(2))
    assert torch.equal(one, two) and one.dtype == torch.float16
    assert one.sum(0).tolist() == [1.0, 1.0, 1.0]
    assert transform.rsample(torch.tensor([[0.0, math.nan], [0.0, -math.inf]]))[0].isnan().all()


@EVERY
def test_rsample_has_the_gradient_of_the_probabilities(name: str) -> None:
    transform, mu, weights = component("transform", name), logits(3, 4).requires_grad_(), logits(3, 4, seed=1)
    (through,) = torch.autograd.grad((transform.rsample(mu) * weights).sum(), mu)
    torch.testing.assert_close(through, torch.autograd.grad((transform(mu) * weights).sum(), mu)[0])


@EVERY
def test_jacobian_is_a_graph_laplacian(name: str) -> None:
    jacobian: Any = torch.autograd.functional.jacobian(component("transform", name), logits(9))
    assert (jacobian - jacobian.T).abs().max() < 1e-14
    assert jacobian.sum(0).abs().max() < 1e-14
    assert (jacobian - jacobian.diag().diag()).max() <= 0


@pytest.mark.verify
@EVERY
def test_both_derivatives_equal_finite_differences(name: str) -> None:
    transform, mu = component("transform", name), logits(2, 4).requires_grad_()
    scale = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
    for call in (lambda t, s: t(s), lambda t, s: t.log(s)):

        def function(s: Tensor, width: Tensor, call: Any = call) -> Tensor:
            result: Tensor = call(replace_fields(transform, {("scale",): width}), s)
            return result

        assert torch.autograd.gradcheck(function, (mu, scale))
        assert torch.autograd.gradgradcheck(function, (mu, scale))


@EVERY
def test_gradient_with_many_classes_and_ties(name: str) -> None:
    transform, mu = component("transform", name), logits(1, 60).round().requires_grad_()
    assert torch.autograd.gradcheck(transform.log, mu, fast_mode=True)


@EVERY
def test_scale_divides_the_logits(name: str) -> None:
    mu = logits(3, 6)
    torch.testing.assert_close(component("transform", name, scale=2.5)(mu), component("transform", name)(mu / 2.5))


@pytest.mark.verify
@pytest.mark.parametrize("n", [3, 50, 1000])
@EVERY
def test_float32_is_within_two_millionths(name: str, n: int) -> None:
    transform, mu = component("transform", name), logits(8, n).float()
    assert (transform(mu).double() - transform(mu.double())).abs().max() < 2e-6
    assert ((transform.log(mu).double() / transform.log(mu.double())).log().abs() < 1e-3).all()


@pytest.mark.parametrize("name", ["exponential", "negative_exponential", "reverse_gumbel"])
def test_fifty_thousand_classes(name: str) -> None:
    transform = component("transform", name)
    for spread in (0.0, 1.0):
        mu = logits(1, 50_000, spread=spread).float().requires_grad_()
        log_p = transform.log(mu)
        (gradient,) = torch.autograd.grad(log_p[0, 7], mu)
        assert abs(log_p.detach().double().exp().sum().item() - 1) < 1e-4
        assert gradient.isfinite().all() and gradient[0, 7] > 0


def test_far_logarithms_of_many_classes_do_not_underflow() -> None:
    mu = logits(1000).requires_grad_()
    for name in ("exponential", "negative_exponential", "reverse_gumbel"):
        log_p = component("transform", name).log(mu)
        assert log_p.isfinite().all() and (log_p[mu.argsort()].diff() >= 0).all()
        (gradient,) = torch.autograd.grad(log_p[mu.argmin()], mu)
        assert gradient.isfinite().all() and gradient[mu.argmin()] >= 1 - 1e-9


@pytest.mark.verify
@pytest.mark.parametrize("n", [2, 3, 40, 1000, 3000])
@pytest.mark.parametrize("gap", [0.5, 3.0, 6.0, 20.0, 45.0])
def test_reverse_gumbel_below_equal_classes_is_a_beta_function(n: int, gap: float) -> None:
    """The sum over sets is a sum over their sizes: p = a B(a, n) with a = exp(gap), for the class below the others."""
    mu = torch.zeros(1, n, dtype=torch.float64)
    mu[0, 0] = -gap
    with mpmath.workdps(40):
        a = mpmath.exp(gap)
        exact = float(mpmath.loggamma(a + 1) + mpmath.loggamma(n) - mpmath.loggamma(a + n))
    transform = component("transform", "reverse_gumbel")
    assert transform.log(mu)[0, 0].item() == pytest.approx(exact, rel=1e-7 if n > 1000 else 1e-10)
    assert transform.log(mu.float())[0, 0].item() == pytest.approx(exact, rel=5e-6, abs=5e-6)
    assert transform(mu.float())[0, 0].item() == pytest.approx(math.exp(exact), abs=2e-6)


def test_unknown_input_is_an_error() -> None:
    for bad in (torch.tensor([1, 2]), torch.tensor(1.0)):
        with pytest.raises(Exception, match="floating-point"):
            component("transform", "exponential").rsample(bad)
