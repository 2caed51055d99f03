"""The stock losses against formulas written out by hand, other implementations, and finite differences."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from harness.base import replace_fields
from harness.discovery.registry import component

LOSSES: dict[str, dict[str, Any]] = {
    "cross_entropy": {"name": "cross_entropy"},
    "crammer_singer": {"name": "hinge"},
    "weston_watkins": {"name": "hinge", "form": "weston_watkins"},
    "focal": {"name": "focal"},
    "focal_half": {"name": "focal", "gamma": 0.5},
    "label_smoothing": {"name": "label_smoothing"},
    "brier": {"name": "brier"},
    "nll": {"name": "nll"},
    "expected_error": {"name": "expected_error"},
    "scaled": {"name": "scaled", "loss": {"name": "hinge"}, "standardize": True, "temperature": 0.3},
}
Row = list[float]
EVERY = pytest.mark.parametrize("name", LOSSES)
SIZES = pytest.mark.parametrize("classes", [2, 3, 10, 1000])


@functools.cache
def make(name: str) -> Any:
    return component("loss", **LOSSES[name])


def draw(batch: int, classes: int, scale: float = 3.0, seed: int = 0) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(batch, classes, generator=g, dtype=torch.float64)
    return logits, torch.randint(classes, (batch,), generator=g)


def probabilities(row: Row) -> list[float]:
    highest = max(row)
    total = sum(math.exp(s - highest) for s in row)
    return [math.exp(s - highest) / total for s in row]


def crammer_singer(row: Row, y: int) -> float:
    return max(0.0, 1 + max(s for j, s in enumerate(row) if j != y) - row[y])


def weston_watkins(row: Row, y: int) -> float:
    return sum(max(0.0, 1 + s - row[y]) for j, s in enumerate(row) if j != y)


def brier(row: Row, y: int) -> float:
    return sum((p - (j == y)) ** 2 for j, p in enumerate(probabilities(row)))


def focal(gamma: float) -> Callable[[Row, int], float]:
    def one(row: Row, y: int) -> float:
        p = probabilities(row)[y]
        return -math.pow(1 - p, gamma) * math.log(p)

    return one


BY_HAND: dict[str, Callable[[Row, int], float]] = {
    "cross_entropy": focal(0.0),
    "crammer_singer": crammer_singer,
    "weston_watkins": weston_watkins,
    "focal": focal(2.0),
    "focal_half": focal(0.5),
    "brier": brier,
    "nll": focal(0.0),
    "expected_error": lambda row, y: 1 - probabilities(row)[y],
}


@SIZES
@pytest.mark.parametrize("name", BY_HAND)
def test_each_example_equals_the_formula_written_out(name: str, classes: int) -> None:
    logits, target = draw(8, classes)
    expected = [BY_HAND[name](row, y) for row, y in zip(logits.tolist(), target.tolist(), strict=True)]
    value = make(name)(logits, target)
    torch.testing.assert_close(value, torch.tensor(expected, dtype=torch.float64), rtol=1e-9, atol=1e-12)


@SIZES
def test_weston_watkins_is_torch_multi_margin_times_classes(classes: int) -> None:
    logits, target = draw(16, classes)
    expected = F.multi_margin_loss(logits, target, reduction="none") * classes
    torch.testing.assert_close(make("weston_watkins")(logits, target), expected)


@SIZES
@pytest.mark.parametrize("epsilon", [0.0, 0.1, 1.0])
def test_label_smoothing_is_torch_label_smoothing(classes: int, epsilon: float) -> None:
    logits, target = draw(16, classes)
    expected = F.cross_entropy(logits, target, reduction="none", label_smoothing=epsilon)
    torch.testing.assert_close(component("loss", "label_smoothing", epsilon=epsilon)(logits, target), expected)


@EVERY
@SIZES
def test_one_number_per_example_unmoved_by_a_constant(name: str, classes: int) -> None:
    loss, (logits, target) = make(name), draw(8, classes)
    before = logits.clone()
    value = loss(logits, target)
    assert torch.equal(logits, before)
    assert value.shape == (8,)
    assert (value >= 0).all()
    torch.testing.assert_close(loss(logits + 7.5, target), value)


@EVERY
@pytest.mark.parametrize("classes", [2, 5])
def test_gradient_equals_finite_differences(name: str, classes: int) -> None:
    loss, (logits, target) = make(name), draw(4, classes)
    assert torch.autograd.gradcheck(lambda s: loss(s, target), logits.requires_grad_())


@EVERY
def test_vmap_over_seeds_equals_a_loop(name: str) -> None:
    loss = make(name)
    runs = [draw(6, 4, seed=k) for k in range(3)]
    logits, target = (torch.stack(part) for part in zip(*runs, strict=True))

    def step(s: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return torch.func.grad_and_value(lambda x: loss(x, y).mean())(s)

    gradient, value = torch.func.vmap(step)(logits, target)
    for k, (s, y) in enumerate(runs):
        expected_gradient, expected = step(s, y)
        torch.testing.assert_close(value[k], expected)
        torch.testing.assert_close(gradient[k], expected_gradient)


FIELDS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"name": "focal"}, ("gamma",)),
    ({"name": "label_smoothing"}, ("epsilon",)),
    ({"name": "scaled", "loss": {"name": "cross_entropy"}, "standardize": True}, ("temperature",)),
    ({"name": "scaled", "loss": {"name": "focal"}}, ("loss", "gamma")),
]


@pytest.mark.parametrize(("spec", "path"), FIELDS, ids=[".".join([s["name"], *p]) for s, p in FIELDS])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_field_may_be_one_learned_number_per_seed(
    spec: dict[str, Any], path: tuple[str, ...], dtype: torch.dtype
) -> None:
    loss, (logits, target) = component("loss", **spec), draw(6, 4)
    logits = logits.to(dtype)

    def mean(value: Any) -> Tensor:
        result: Tensor = replace_fields(loss, {path: value})(logits, target).mean()
        assert result.dtype == dtype
        return result

    values = torch.tensor([0.25, 0.5, 0.75])
    slopes, results = torch.func.vmap(torch.func.grad_and_value(mean))(values)
    for k, value in enumerate(values.tolist()):
        torch.testing.assert_close(results[k], mean(value))
        step = 0.02
        torch.testing.assert_close(
            slopes[k].to(dtype), (mean(value + step) - mean(value - step)) / (2 * step), rtol=2e-2, atol=1e-3
        )


@EVERY
@SIZES
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_extreme_logits_stay_finite(name: str, classes: int, dtype: torch.dtype) -> None:
    logits = torch.zeros(3, classes, dtype=dtype)
    logits[0, 0], logits[1, 1] = 1e4, 1e4
    logits[2] -= 1e4
    logits.requires_grad_()
    value = make(name)(logits, torch.zeros(3, dtype=torch.int64))
    (gradient,) = torch.autograd.grad(value.float().sum(), logits)
    assert torch.isfinite(value).all()
    assert torch.isfinite(gradient).all()


@EVERY
def test_half_precision_agrees_with_double(name: str) -> None:
    loss, (logits, target) = make(name), draw(32, 10, scale=1.0)
    value = loss(logits.half(), target).double()
    torch.testing.assert_close(value, loss(logits.half().double(), target), rtol=1e-2, atol=1e-2)
