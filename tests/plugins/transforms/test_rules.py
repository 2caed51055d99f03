"""What every transform here does alike: dimensions, types, masks, NaN, order of the classes, torch's own machinery."""

from __future__ import annotations

import functools
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from harness.discovery.registry import component

SPECS: dict[str, dict[str, Any]] = {
    "softmax": {"name": "softmax"},
    "softmax_scaled": {"name": "softmax", "scale": 0.5},
    "exponential": {"name": "exponential", "scale": 1.5},
    "negative_exponential": {"name": "negative_exponential", "scale": 1.5},
    "reverse_gumbel": {"name": "reverse_gumbel", "scale": 1.5},
    "sparsemax": {"name": "sparsemax"},
    "entmax": {"name": "entmax"},
    "entmax_low": {"name": "entmax", "alpha": 0.6},
    "entmax_high": {"name": "entmax", "alpha": 3.0},
    "normalized_softmax": {"name": "normalized_softmax", "gain": 2.0},
    "taylor_softmax": {"name": "taylor_softmax"},
    "taylor_softmax_4": {"name": "taylor_softmax", "order": 4},
    "spherical": {"name": "spherical", "eps": 0.1},
}
EVERY = pytest.mark.parametrize("name", SPECS)
TRACED = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore:The .grad attribute:UserWarning")
"""Tracing touches what it should not and warns of that itself."""


@functools.cache
def make(name: str) -> Any:
    return component("transform", **SPECS[name])


def logits(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.verify
@EVERY
def test_any_dimension_and_any_leading_ones(name: str) -> None:
    transform, z = make(name), logits(2, 3, 4)
    for call in (transform, transform.log):
        for dim in (0, 1, -1):
            expected = torch.stack([call(row) for row in z.movedim(dim, -1).reshape(-1, z.shape[dim])])
            result = call(z, dim=dim).movedim(dim, -1).reshape(-1, z.shape[dim])
            torch.testing.assert_close(result, expected, atol=1e-11, rtol=1e-9)


@EVERY
@pytest.mark.parametrize("shape", [(0, 3), (2, 0, 3), (0,)])
def test_nothing_gives_nothing(name: str, shape: tuple[int, ...]) -> None:
    assert make(name)(torch.zeros(shape)).shape == shape == make(name).log(torch.zeros(shape)).shape


@EVERY
def test_one_class_is_certain(name: str) -> None:
    for value in (0.0, 5.0, -1e4):
        assert make(name)(torch.tensor([[value]])).item() == pytest.approx(1.0, abs=1e-6)
        assert make(name).log(torch.tensor([[value]])).item() == pytest.approx(0.0, abs=1e-6)


@EVERY
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(name: str, dtype: torch.dtype) -> None:
    z = logits(4, 6).to(dtype)
    assert torch.equal(make(name)(z), make(name)(z.float()).to(dtype))
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(make(name)(z.float()), make(name)(z.float()), atol=0, rtol=0)


@EVERY
def test_a_masked_class_is_as_if_it_were_not_there(name: str) -> None:
    z = logits(3, 5)
    z[:, 2] = -torch.inf
    z.requires_grad_()
    rest = z.detach()[:, [0, 1, 3, 4]].requires_grad_()
    p, log_p, smaller = make(name)(z), make(name).log(z), make(name)(rest)
    torch.testing.assert_close(p[:, [0, 1, 3, 4]], smaller, atol=1e-11, rtol=0)
    assert (p[:, 2] == 0).all() and (log_p[:, 2] == -torch.inf).all()
    (gradient,) = torch.autograd.grad(p.square().sum() + (log_p[:, 2].sum() if name != "softmax" else 0), z)
    (expected,) = torch.autograd.grad(smaller.square().sum(), rest)
    torch.testing.assert_close(gradient[:, [0, 1, 3, 4]], expected, atol=1e-10, rtol=0)
    assert (gradient[:, 2] == 0).all()


@EVERY
def test_a_row_that_makes_no_sense_is_nan_and_spoils_no_other(name: str) -> None:
    z = torch.tensor([[1.0, math.nan, 0.0], [0.5, 0.0, -1.0], [-torch.inf] * 3, [torch.inf, 0.0, 0.0]])
    for call in (make(name), make(name).log):
        result = call(z)
        assert result[[0, 2, 3]].isnan().all()
        torch.testing.assert_close(result[1], call(z[1]))


@EVERY
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_extreme_logits_stay_finite(name: str, dtype: torch.dtype) -> None:
    z = torch.tensor([[0, -1e4, 1e4, 3e4], [0, 0, 0, 1e4], [-1e4, -1e4, -1e4, -1e4]], dtype=dtype, requires_grad=True)
    p, log_p = make(name)(z), make(name).log(z)
    assert (p.sum(-1) - 1).abs().max() < 2e-3 and not log_p.isnan().any()
    (gradient,) = torch.autograd.grad(p.square().float().sum() + log_p[:, 3].float().sum(), z)
    assert gradient.isfinite().all()


@EVERY
def test_equal_logits_share_alike(name: str) -> None:
    for value in (0.0, 0.1, 1e3):
        z = torch.full((2, 7), value, dtype=torch.float64, requires_grad=True)
        p = make(name)(z)
        torch.testing.assert_close(p, torch.full_like(p, 1 / 7), atol=1e-12, rtol=0)
        (gradient,) = torch.autograd.grad(p[:, 0].sum(), z)
        assert gradient.isfinite().all()


@pytest.mark.verify
@EVERY
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_classes_have_no_order(name: str, data: st.DataObject) -> None:
    z = torch.tensor(data.draw(st.lists(st.floats(-20, 20), min_size=1, max_size=9)), dtype=torch.float64)
    order = torch.tensor(data.draw(st.permutations(range(len(z)))))
    for call in (make(name), make(name).log):
        torch.testing.assert_close(call(z[order]), call(z)[order], atol=1e-10, rtol=1e-10)


@EVERY
def test_mapped_equals_a_loop_with_gradients_inside_and_out(name: str) -> None:
    transform, z = make(name), logits(3, 4, 5)

    def value(x: Tensor) -> Tensor:
        result: Tensor = (transform(x).square() + transform.log(x).clamp(min=-50.0)).sum()
        return result

    expected = torch.stack([torch.func.grad(value)(x) for x in z])
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(value))(z), expected, atol=1e-9, rtol=1e-9)
    z.requires_grad_()
    (outside,) = torch.autograd.grad(torch.func.vmap(value)(z).sum(), z)
    torch.testing.assert_close(outside, expected, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(torch.func.vmap(transform, in_dims=1, out_dims=1)(z), transform(z), atol=1e-10, rtol=0)


@EVERY
def test_mapped_second_derivative_equals_a_loop(name: str) -> None:
    hessian = torch.func.jacrev(torch.func.grad(lambda x: make(name)(x)[0]))
    z = logits(3, 4)
    expected = torch.stack([hessian(x) for x in z])
    torch.testing.assert_close(torch.func.vmap(hessian)(z), expected, atol=1e-9, rtol=0)


@pytest.mark.verify
@TRACED
@pytest.mark.parametrize("name", ["softmax_scaled", "exponential", "negative_exponential", "sparsemax", "entmax"])
def test_compiled_equals_eager(name: str) -> None:
    torch._dynamo.reset()
    transform, z = make(name), logits(3, 5).requires_grad_()
    compiled = torch.compile(lambda x: transform(x) * 2, backend="eager")
    for _ in range(2):
        (gradient,) = torch.autograd.grad(compiled(z)[:, 0].sum(), z)
        (expected,) = torch.autograd.grad(transform(z)[:, 0].sum() * 2, z)
        torch.testing.assert_close(gradient, expected)
    torch._dynamo.reset()


@EVERY
def test_both_derivatives_equal_finite_differences(name: str) -> None:
    z = logits(1, 5, seed=3).requires_grad_()
    assert torch.autograd.gradcheck(make(name), z) and torch.autograd.gradgradcheck(make(name), z)
