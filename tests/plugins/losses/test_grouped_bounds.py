"""The losses on groups of items at their bounds: gradients, masks, padding, extreme logits, shapes that do not fit."""

from __future__ import annotations

import math

import numpy
import pytest
import torch
from torch import Tensor

from harness import BenchError
from tests.plugins.groups import EVERY, KINDS, draw, make


@EVERY
@KINDS
def test_gradient_equals_finite_differences(name: str, soft: bool) -> None:
    logits, target = draw(2, 4, 3, soft)
    target[0, -1] = 0 if soft else -1
    assert torch.autograd.gradcheck(lambda s: make(name)(s, target), logits.requires_grad_())


def test_gradient_of_kl_equals_finite_differences_where_it_is_scaled_down() -> None:
    logits, target = draw(2, 4, 3, soft=True)
    assert torch.autograd.gradcheck(lambda s: make("grouped_kl")(s, target), (30 * logits).requires_grad_())


@EVERY
@KINDS
def test_vmap_over_seeds_equals_a_loop(name: str, soft: bool) -> None:
    runs = [draw(soft=soft, seed=k) for k in range(3)]
    logits, target = (torch.stack(part) for part in zip(*runs, strict=True))

    def step(s: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return torch.func.grad_and_value(lambda x: make(name)(x, y).mean())(s)

    gradient, value = torch.func.vmap(step)(logits, target)
    for k, run in enumerate(runs):
        torch.testing.assert_close((gradient[k], value[k]), step(*run))


MASKS = [
    (torch.float16, -math.inf),
    (torch.float16, -1e4),
    (torch.float32, -math.inf),
    (torch.float32, -1e12),
    (torch.float64, -math.inf),
    (torch.float64, -1e12),
]


@EVERY
@KINDS
@pytest.mark.parametrize(("dtype", "mask"), MASKS, ids=str)
def test_a_masked_class_is_as_if_it_were_not_there(name: str, soft: bool, dtype: torch.dtype, mask: float) -> None:
    logits, target = draw(3, 5, 4, soft)
    logits = logits.to(dtype)
    with_mask = torch.cat([logits, torch.full_like(logits[..., :2], mask)], -1).requires_grad_()
    with_zero = torch.cat([target, torch.zeros_like(target[..., :2])], -1) if soft else target
    value = make(name)(with_mask, with_zero)
    (gradient,) = torch.autograd.grad(value.sum(), with_mask)
    torch.testing.assert_close(value, make(name)(logits, target))
    assert gradient[..., :4].isfinite().all() and (gradient[..., 4:] == 0).all()


@EVERY
@KINDS
def test_padding_is_as_if_it_were_not_there(name: str, soft: bool) -> None:
    logits, target = draw(3, 5, 4, soft)
    longer = torch.cat([logits, torch.full_like(logits[:, :2], math.nan)], 1).requires_grad_()
    padded = torch.cat([target, torch.full_like(target[:, :2], 0 if soft else -1)], 1)
    value = make(name)(longer, padded)
    (gradient,) = torch.autograd.grad(value.sum(), longer)
    torch.testing.assert_close(value, make(name)(logits, target))
    assert gradient[:, :5].isfinite().all() and (gradient[:, 5:] == 0).all()


@EVERY
def test_a_group_of_padding_costs_nothing(name: str) -> None:
    logits = torch.zeros(1, 3, 4, dtype=torch.float64)
    assert make(name)(logits, torch.full((1, 3), -100)).item() == 0


@EVERY
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("label", [0, 1])
def test_extreme_logits_stay_finite(name: str, dtype: torch.dtype, label: int) -> None:
    logits = torch.zeros(2, 3, 3, dtype=dtype)
    logits[0, 0, 0], logits[0, 1, 0], logits[1] = 1e4, -1e4, -1e4
    logits.requires_grad_()
    value = make(name)(logits, torch.full((2, 3), label))
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    assert value.isfinite().all() and gradient.isfinite().all()


@pytest.mark.parametrize("name", ["grouped_truncated", "grouped_kl", "grouped_cross_entropy"])
@pytest.mark.parametrize("gap", [1.0, 29.0, 31.0, 90.0, 1e3, 1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_hopeless_item_costs_its_gap_and_still_pulls(name: str, gap: float, dtype: torch.dtype) -> None:
    logits = torch.tensor([[[0.0, gap]]], dtype=dtype, requires_grad=True)
    value = make(name)(logits, torch.tensor([[0]]))
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    assert value.item() == pytest.approx(numpy.logaddexp(0, gap), rel=1e-6)
    pull = math.exp(-numpy.logaddexp(0, -gap))
    torch.testing.assert_close(gradient[0, 0], torch.tensor([-pull, pull], dtype=dtype))


@EVERY
@KINDS
def test_the_order_of_items_and_a_constant_of_an_item_do_not_matter(name: str, soft: bool) -> None:
    logits, target = draw(3, 5, 4, soft)
    value = make(name)(logits, target)
    torch.testing.assert_close(make(name)(logits.flip(1), target.flip(1)), value)
    torch.testing.assert_close(make(name)(logits + torch.arange(5.0)[:, None] * 3, target), value)
    torch.testing.assert_close(make(name)(logits[1:2], target[1:2]), value[1:2])


@EVERY
@pytest.mark.parametrize(
    ("logits", "target"),
    [
        (torch.zeros(6, 4), torch.zeros(6, dtype=torch.int64)),
        (torch.zeros(2, 3, 4), torch.zeros(2, 4, dtype=torch.int64)),
        (torch.zeros(2, 3, 4), torch.zeros(2, 3)),
        (torch.zeros(2, 3, 4), torch.zeros(2, 3, 4, dtype=torch.int64)),
        (torch.zeros(2, 3, 4), torch.zeros(2, 3, 5)),
    ],
    ids=["one item", "other items", "soft without classes", "whole numbers with classes", "other classes"],
)
def test_shapes_that_do_not_fit_are_an_error(name: str, logits: Tensor, target: Tensor) -> None:
    with pytest.raises(BenchError, match=r"batch, items, classes"):
        make(name)(logits, target)


@EVERY
def test_a_class_number_beyond_the_classes_is_an_error(name: str) -> None:
    with pytest.raises((RuntimeError, IndexError), match="out of bounds"):
        make(name)(torch.zeros(1, 2, 3), torch.tensor([[0, 3]]))
