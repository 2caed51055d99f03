"""Normalized, Taylor, spherical and sampled softmax."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from harness import BenchError, replace_fields
from harness.discovery.registry import component


def logits(*shape: int, seed: int = 0) -> Tensor:
    return 2 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_normalized_softmax_is_its_formula_and_ignores_shift_and_scale() -> None:
    z, transform = logits(4, 6), component("transform", "normalized_softmax", gain=1.7, eps=1e-12)
    expected = (1.7 * (z - z.mean(-1, keepdim=True)) / z.std(-1, keepdim=True, correction=0)).softmax(-1)
    for moved in (z, 3 * z + 5, 1e200 * z, 1e-7 * z):
        torch.testing.assert_close(transform(moved), expected, atol=1e-4 if moved.abs().max() < 1e-3 else 1e-9, rtol=0)


def test_normalized_softmax_of_a_constant_row_has_a_gradient() -> None:
    transform = component("transform", "normalized_softmax", eps=0.5)
    z = torch.full((5,), 0.1, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(transform(z)[0], z)
    expected = (torch.eye(5, dtype=torch.float64)[0] - 0.2) / 5 / 0.5  # softmax at uniform p, of logits / eps
    torch.testing.assert_close(gradient, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("order", [2, 4, 8])
def test_taylor_softmax_is_its_polynomial(order: int) -> None:
    z = logits(5, 6)
    f = torch.stack([z**k / math.factorial(k) for k in range(order + 1)]).sum(0)
    torch.testing.assert_close(component("transform", "taylor_softmax", order=order)(z), f / f.sum(-1, keepdim=True))


def test_taylor_softmax_approaches_softmax_and_refuses_odd_orders() -> None:
    z = logits(5, 6)
    torch.testing.assert_close(component("transform", "taylor_softmax", order=40)(z), z.softmax(-1))
    with pytest.raises(BenchError, match="even"):
        component("transform", "taylor_softmax", order=3)


def test_taylor_softmax_grows_again_far_below() -> None:
    p = component("transform", "taylor_softmax")(torch.tensor([-1.0, -5.0], dtype=torch.float64))
    assert p.tolist() == pytest.approx([0.5 / 9, 8.5 / 9])


def test_spherical_is_its_formula_and_ignores_signs() -> None:
    z, transform = logits(5, 6), component("transform", "spherical", eps=0.3)
    squares = z.square() + 0.3
    torch.testing.assert_close(transform(z), squares / squares.sum(-1, keepdim=True))
    torch.testing.assert_close(transform(-z), transform(z))
    assert component("transform", "spherical")(torch.zeros(4)).tolist() == pytest.approx([0.25] * 4)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("normalized_softmax", "gain"),
        ("normalized_softmax", "eps"),
        ("spherical", "eps"),
        ("gumbel_softmax", "temperature"),
    ],
)
def test_fields_can_be_learned(name: str, field: str) -> None:
    transform, z = component("transform", name), logits(2, 4).requires_grad_()

    def function(value: Tensor, s: Tensor) -> Tensor:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            result: Tensor = replace_fields(transform, {(field,): value})(s)
            return result

    assert torch.autograd.gradcheck(function, (torch.tensor(0.8, dtype=torch.float64, requires_grad=True), z))


DRAWS = 60_000


@pytest.mark.parametrize("temperature", [0.3, 1.0, 3.0])
def test_gumbel_softmax_picks_classes_as_softmax_does_at_any_temperature(temperature: float) -> None:
    z = logits(4)
    sample = component("transform", "gumbel_softmax", temperature=temperature).rsample(
        z.expand(DRAWS, 4), torch.Generator().manual_seed(0)
    )
    share, p = (sample == sample.amax(-1, keepdim=True)).double().mean(0), z.softmax(-1)
    assert ((share - p).abs() < 4 * (p * (1 - p) / DRAWS).sqrt()).all()


def test_the_mean_of_gumbel_softmax_is_not_softmax() -> None:
    z = torch.tensor([1.5, 0.0], dtype=torch.float64).expand(DRAWS, 2)
    sample = component("transform", "gumbel_softmax").rsample(z, torch.Generator().manual_seed(0))[:, 0]
    a = math.exp(1.5)  # the mean is that of logistic noise, SPEC 1.4
    assert sample.mean().item() == pytest.approx(
        a * (a - 1 - 1.5) / (a - 1) ** 2, abs=4 * sample.std().item() / DRAWS**0.5
    )


def test_gumbel_softmax_draws() -> None:
    transform, z = component("transform", "gumbel_softmax"), logits(3, 4)
    one, two = (transform.rsample(z, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one, two) and not torch.equal(transform(z), transform(z))
    torch.manual_seed(1)
    first = transform(z)
    torch.manual_seed(1)
    assert torch.equal(first, transform(z))
    torch.manual_seed(1)
    torch.testing.assert_close(transform.log(z).exp(), first)
    mapped = torch.func.vmap(transform, randomness="different")(torch.zeros(2, 3))
    assert not torch.equal(mapped[0], mapped[1])


@pytest.mark.parametrize("temperature", [1e-30, 1e-3, 1e3])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_gumbel_softmax_of_extreme_logits_is_finite(temperature: float, dtype: torch.dtype) -> None:
    z = torch.tensor([[0.0, 1e4, -3e4, -torch.inf]], dtype=dtype).repeat(500, 1).requires_grad_()
    transform = component("transform", "gumbel_softmax", temperature=temperature)
    p = transform.rsample(z, torch.Generator().manual_seed(0))
    assert p.isfinite().all() and (p.sum(-1) - 1).abs().max() < 1e-2 and (p[:, 3] == 0).all()
    assert torch.autograd.grad(p[:, 0].float().sum(), z)[0].isfinite().all()
