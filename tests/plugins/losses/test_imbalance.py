"""Losses that know how often each class occurs: formulas by numpy, limits, gradients, lanes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.special import logsumexp
from torch import Tensor

from harness import replace_fields, requested_inputs
from harness.discovery.registry import component

NAMES = ["logit_adjusted", "ldam"]
EVERY = pytest.mark.parametrize("name", NAMES)
COUNTS = torch.tensor([100.0, 10.0, 1000.0, 5.0])


def draw(batch: int = 6, classes: int = 4, seed: int = 0) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    logits = torch.randn(batch, classes, generator=g, dtype=torch.float64)
    return logits, torch.randint(classes, (batch,), generator=g)


def adjusted(row: np.ndarray, y: int, counts: np.ndarray, tau: float) -> float:
    """log(1 + sum_{j != y} (prior_j / prior_y)^tau exp(s_j - s_y))."""
    others = [j for j in range(len(row)) if j != y]
    return float(np.log1p(sum((counts[j] / counts[y]) ** tau * np.exp(row[j] - row[y]) for j in others)))


def margined(row: np.ndarray, y: int, counts: np.ndarray, most: float, scale: float) -> float:
    margins = counts**-0.25
    margins *= most / margins.max()
    moved = row.copy()
    moved[y] -= margins[y]
    return float(logsumexp(scale * moved) - scale * moved[y])


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 2.0])
def test_logit_adjusted_is_the_formula_written_out(tau: float) -> None:
    logits, target = draw(16)
    loss = component("loss", "logit_adjusted", tau=tau)
    rows = zip(logits.numpy(), target.tolist(), strict=True)
    expected = [adjusted(row, y, COUNTS.double().numpy(), tau) for row, y in rows]
    torch.testing.assert_close(loss(logits, target, COUNTS), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize(("most", "scale"), [(0.5, 30.0), (0.5, 1.0), (2.0, 3.0)])
def test_ldam_is_the_formula_written_out(most: float, scale: float) -> None:
    logits, target = draw(16)
    loss = component("loss", "ldam", max_margin=most, scale=scale)
    rows = zip(logits.numpy(), target.tolist(), strict=True)
    expected = [margined(row, y, COUNTS.double().numpy(), most, scale) for row, y in rows]
    torch.testing.assert_close(loss(logits, target, COUNTS), torch.tensor(expected, dtype=torch.float64))


def test_both_are_cross_entropy_where_nothing_is_adjusted() -> None:
    logits, target = draw()
    expected = F.cross_entropy(logits, target, reduction="none")
    plain = [("logit_adjusted", {"tau": 0.0}), ("ldam", {"max_margin": 0.0, "scale": 1.0})]
    for name, fields in plain:
        torch.testing.assert_close(component("loss", name, **fields)(logits, target, COUNTS), expected)
    even = torch.full((4,), 7.0)
    torch.testing.assert_close(component("loss", "logit_adjusted")(logits, target, even), expected)


@EVERY
def test_it_asks_for_class_counts(name: str) -> None:
    assert requested_inputs(component("loss", name)) == {"class_counts"}


@EVERY
def test_only_the_ratios_of_counts_matter(name: str) -> None:
    (logits, target), loss = draw(), component("loss", name)
    torch.testing.assert_close(loss(logits, target, COUNTS), loss(logits, target, 3 * COUNTS), rtol=1e-6, atol=1e-6)


@EVERY
def test_a_rare_label_costs_more_than_a_frequent_one(name: str) -> None:
    values = component("loss", name)(torch.zeros(4, 4), torch.arange(4), COUNTS)
    assert torch.equal(values.argsort(), COUNTS.argsort(descending=True))


@EVERY
def test_a_class_without_examples_counts_as_having_one(name: str) -> None:
    (logits, target), loss = draw(), component("loss", name)
    none, one = torch.tensor([100.0, 0.0, 20.0, 0.0]), torch.tensor([100.0, 1.0, 20.0, 1.0])
    value = loss(logits, target, none)
    assert torch.isfinite(value).all()
    torch.testing.assert_close(value, loss(logits, target, one))


@EVERY
def test_gradient_equals_finite_differences(name: str) -> None:
    (logits, target), loss = draw(), component("loss", name)
    assert torch.autograd.gradcheck(lambda s: loss(s, target, COUNTS), logits.requires_grad_())


@EVERY
def test_a_constant_changes_nothing(name: str) -> None:
    (logits, target), loss = draw(), component("loss", name)
    torch.testing.assert_close(loss(logits + 7.5, target, COUNTS), loss(logits, target, COUNTS))


@EVERY
def test_vmap_over_seeds_and_their_counts_equals_a_loop(name: str) -> None:
    loss, runs = component("loss", name), [(*draw(seed=k), COUNTS.roll(k)) for k in range(3)]
    step = torch.func.grad_and_value(lambda s, y, counts: loss(s, y, class_counts=counts).mean())
    gradients, values = torch.func.vmap(step)(*(torch.stack(part) for part in zip(*runs, strict=True)))
    for k, run in enumerate(runs):
        gradient, value = step(*run)
        torch.testing.assert_close(values[k], value)
        torch.testing.assert_close(gradients[k], gradient)


@pytest.mark.parametrize(("name", "field"), [("logit_adjusted", "tau"), ("ldam", "max_margin"), ("ldam", "scale")])
def test_gradient_of_a_learned_field_equals_finite_differences(name: str, field: str) -> None:
    (logits, target), start = draw(), torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    loss: Any = component("loss", name)
    assert torch.autograd.gradcheck(lambda v: replace_fields(loss, {(field,): v})(logits, target, COUNTS), start)
    values = torch.tensor([0.5, 0.7])
    mapped = torch.func.vmap(lambda v: replace_fields(loss, {(field,): v})(logits, target, COUNTS))(values)
    torch.testing.assert_close(
        mapped[1], replace_fields(loss, {(field,): 0.7})(logits, target, COUNTS), rtol=1e-6, atol=0
    )


@pytest.mark.verify
@EVERY
@pytest.mark.parametrize("fill", [-torch.inf, -1e12, 0.0])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_extreme_and_masked_logits_stay_finite(name: str, fill: float, dtype: torch.dtype) -> None:
    logits = torch.zeros(3, 1000, dtype=dtype)
    logits[0, 0], logits[1, 1], logits[:, 4] = 1e4, 1e4, fill
    logits[2] -= 1e4
    logits.requires_grad_()
    value = component("loss", name)(logits, torch.zeros(3, dtype=torch.int64), torch.arange(1000.0))
    (gradient,) = torch.autograd.grad(value.float().sum(), logits)
    assert torch.isfinite(value).all() and torch.isfinite(gradient).all() and (value >= 0).all()


@EVERY
def test_half_precision_agrees_with_double(name: str) -> None:
    (logits, target), loss = draw(32), component("loss", name)
    value = loss(logits.half(), target, COUNTS)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value.double(), loss(logits.half().double(), target, COUNTS), rtol=1e-5, atol=1e-5)
