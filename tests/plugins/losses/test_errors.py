"""Losses summed over the alternatives to the label: known values, formulas by numpy, masks, gradients, lanes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from harness import Learned, replace_fields
from harness.discovery.registry import component
from tests.plugins import laws


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-np.logaddexp(0, -x)))


def cubic(lead: np.ndarray) -> np.ndarray:
    d = np.clip(lead, -1, 1)
    return np.asarray(0.25 * d**3 - 0.75 * d + 0.5)


FORMULAS: dict[str, tuple[dict[str, Any], Any]] = {
    "sigmoid_error": ({}, lambda d: 1 - sigmoid(d)),
    "polynomial_error": ({}, cubic),
    "beta_bernoulli": ({}, lambda d: -np.log(0.25 + 0.5 * sigmoid(d))),
    "beta_bernoulli_sure": ({"w": 0.2, "theta": 0.9}, lambda d: -np.log(0.18 + 0.8 * sigmoid(d))),
    "logistic": ({"w": 0.0}, lambda d: np.logaddexp(0, -d)),
}
NAMES = {"beta_bernoulli_sure": "beta_bernoulli", "logistic": "beta_bernoulli"}
EVERY = pytest.mark.parametrize("form", FORMULAS)


def make(form: str) -> Any:
    return component("loss", NAMES.get(form, form), **FORMULAS[form][0])


def draw(batch: int = 6, classes: int = 4, seed: int = 0) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    logits = 1.5 * torch.randn(batch, classes, generator=g, dtype=torch.float64)
    return logits, torch.randint(classes, (batch,), generator=g)


def of_lead(loss: Any, lead: float) -> float:
    """The loss of two classes, the label `lead` ahead."""
    return float(loss(torch.tensor([[lead + 3, 3.0]], dtype=torch.float64), torch.tensor([0])))


@pytest.mark.parametrize(
    ("name", "lead", "value"),
    [
        ("sigmoid_error", 0.0, 0.5),
        ("polynomial_error", 1.0, 0.0),
        ("polynomial_error", 0.0, 0.5),
        ("polynomial_error", -1.0, 1.0),
        ("polynomial_error", 9.0, 0.0),
        ("polynomial_error", -9.0, 1.0),
        ("beta_bernoulli", 0.0, 0.693147180559945),
    ],
)
def test_known_values(name: str, lead: float, value: float) -> None:
    assert of_lead(component("loss", name), lead) == pytest.approx(value, abs=1e-12)


@pytest.mark.verify
@EVERY
@pytest.mark.parametrize("classes", [2, 3, 10, 1000])
def test_each_example_equals_the_formula_written_out(form: str, classes: int) -> None:
    logits, target = draw(8, classes)
    rows = zip(logits.numpy(), target.tolist(), strict=True)
    expected = [FORMULAS[form][1](row[y] - np.delete(row, y)).sum() for row, y in rows]
    torch.testing.assert_close(make(form)(logits, target), torch.tensor(expected), rtol=1e-11, atol=1e-12)


@EVERY
def test_gradient_equals_finite_differences(form: str) -> None:
    laws.gradient_equals_finite_differences(make(form), draw)


@EVERY
def test_a_constant_changes_nothing(form: str) -> None:
    laws.a_constant_changes_nothing(make(form), draw)


@EVERY
def test_vmap_over_seeds_equals_a_loop(form: str) -> None:
    laws.vmap_over_seeds_equals_a_loop(make(form), draw)


@pytest.mark.verify
@EVERY
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_a_masked_class_is_no_class(form: str, dtype: torch.dtype) -> None:
    logits, target = draw(6, 3)
    wide = torch.cat([logits, torch.full((6, 1), -torch.inf)], 1).to(dtype).requires_grad_()
    value = make(form)(wide, target)
    torch.testing.assert_close(value, make(form)(logits.to(dtype), target))
    (gradient,) = torch.autograd.grad(value.sum(), wide)
    assert torch.isfinite(gradient).all() and (gradient[:, 3] == 0).all() and (gradient[:, :3] != 0).any()


@pytest.mark.verify
@EVERY
@pytest.mark.parametrize("fill", [-torch.inf, -1e12])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_extreme_logits_and_masks_stay_finite(form: str, fill: float, dtype: torch.dtype) -> None:
    logits = torch.zeros(3, 1000, dtype=dtype)
    logits[0, 0], logits[1, 1], logits[:, 4] = 1e4, 1e4, fill
    logits[2] -= 1e4
    logits.requires_grad_()
    value = make(form)(logits, torch.zeros(3, dtype=torch.int64))
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    assert torch.isfinite(value).all() and torch.isfinite(gradient).all() and (value >= 0).all()


@EVERY
def test_half_logits_are_summed_in_single_precision(form: str) -> None:
    logits, target = draw(8, 1000)
    value = make(form)(logits.half(), target)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value.double(), make(form)(logits.half().double(), target), rtol=1e-5, atol=1e-5)


def test_the_cubic_has_no_gradient_outside_its_step() -> None:
    logits = torch.tensor([[0.0, 1.5, -2.0, 0.5]], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(component("loss", "polynomial_error")(logits, torch.tensor([0])).sum(), logits)
    slope = 0.75 * (0.5**2 - 1)  # of the step at its lead of -0.5
    torch.testing.assert_close(gradient, torch.tensor([[slope, 0, 0, -slope]], dtype=torch.float64))


def test_beta_bernoulli_bounds_the_price_of_an_outlier() -> None:
    assert of_lead(component("loss", "beta_bernoulli"), -1e4) == pytest.approx(-math.log(0.25), abs=1e-12)


def test_beta_bernoulli_can_learn_itself_away() -> None:
    assert of_lead(component("loss", "beta_bernoulli", w=1.0, theta=1.0), -50.0) == 0


@pytest.mark.parametrize("field", ["w", "theta"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_fields_of_beta_bernoulli_are_learned_one_per_seed(field: str, dtype: torch.dtype) -> None:
    logits, target = draw()
    row = logits.numpy()
    leads = np.concatenate([row[k, y] - np.delete(row[k], y) for k, y in enumerate(target.tolist())])

    def mean(value: Tensor) -> Tensor:
        result: Tensor = replace_fields(component("loss", "beta_bernoulli"), {(field,): value})(
            logits.to(dtype), target
        )
        return result.mean()

    values = torch.tensor([0.2, 0.5, 0.8])
    slopes, results = torch.func.vmap(torch.func.grad_and_value(mean))(values)
    for k, value in enumerate(values.tolist()):
        w, theta = (value, 0.5) if field == "w" else (0.5, value)
        inside = w * theta + (1 - w) * sigmoid(leads)
        by = theta - sigmoid(leads) if field == "w" else w
        assert results[k].item() == pytest.approx(-np.log(inside).sum() / 6, rel=1e-5)
        assert slopes[k].item() == pytest.approx(-(by / inside).sum() / 6, rel=1e-4, abs=1e-5)


def test_the_fields_of_beta_bernoulli_may_be_learned_by_a_suite() -> None:
    loss = component("loss", "beta_bernoulli", w=Learned(0.5), theta=Learned(0.5))
    assert loss.spec() == {"name": "beta_bernoulli", "w": {"learn": 0.5}, "theta": {"learn": 0.5}}


def minimum(loss: Any, k: float) -> float:
    """Where the mean loss of logits (0, k (x - b)) on the three points has its least value, in b from -1 to 3."""
    grid = torch.arange(-1, 3, 1e-3, dtype=torch.float64)
    x = torch.tensor([-0.25, 0.0, 0.25], dtype=torch.float64) - grid[:, None]
    logits = torch.stack([torch.zeros_like(x), k * x], -1).flatten(0, 1)
    losses = loss(logits, torch.tensor([0, 0, 1]).repeat(len(grid))).view(-1, 3).mean(1)
    return float(grid[losses.argmin()])


@pytest.mark.parametrize(("k", "b"), [(2.0, 2.050), (4.0, 0.338), (8.0, 0.151), (16.0, 0.126)])
def test_sigmoid_error_separates_three_points_only_where_slopes_are_steep(k: float, b: float) -> None:
    assert minimum(component("loss", "sigmoid_error"), k) == pytest.approx(b, abs=2e-3)


@pytest.mark.parametrize(("k", "b"), [(1.0, 0.7001), (2.0, 0.3604), (4.0, 0.2007), (8.0, 0.1386), (16.0, 0.1257)])
def test_so_does_cross_entropy(k: float, b: float) -> None:
    assert minimum(component("loss", "cross_entropy"), k) == pytest.approx(b, abs=1e-3)
