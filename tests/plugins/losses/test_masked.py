"""Masked classes (a logit of -inf) in every loss of classes: the loss of the classes that are left."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from harness import Loss, call_with_inputs, component

INF = math.inf
COUNTS = torch.tensor([5.0, 3.0, 2.0])
LOSSES: tuple[tuple[str, dict[str, Any]], ...] = (
    *(("focal", {"gamma": gamma}) for gamma in (0.0, 0.5, 2.0)),
    *(("label_smoothing", {"epsilon": epsilon}) for epsilon in (0.0, 0.1, 1.0)),
    *((name, {}) for name in ("cross_entropy", "nll", "brier", "expected_error", "mixture", "sparsemax_loss")),
    *((name, {}) for name in ("entmax_loss", "poly1", "generalized_cross_entropy", "ldam", "hinge", "sigmoid_error")),
    *((name, {}) for name in ("polynomial_error", "beta_bernoulli", "exact", "smooth_f1")),
    ("hinge", {"form": "weston_watkins"}),
    ("exact", {"standardize": True}),
    ("exact", {"margin": 1.0, "aggregate": "meanlog"}),
    ("scaled", {"loss": {"name": "focal"}, "standardize": True, "temperature": 2.0}),
    ("scaled", {"loss": {"name": "label_smoothing"}}),
    ("mixture", {"first": {"name": "focal", "gamma": 0.0}}),
    ("logit_adjusted", {"tau": 0.0}),
)
ROWS = [
    ([5.0, -INF, -INF], 0),
    ([2.0, -INF, 1.0], 0),
    ([2.0, -INF, 1.0], 2),
    ([-INF, 0.3, -0.2], 1),
    ([-INF, 3.0, -2.0], 2),
    ([200.0, -INF, -200.0], 0),
]


def of(loss: Loss, row: list[float], target: int, counts: Tensor) -> tuple[float, list[float]]:
    logits = torch.tensor([row], dtype=torch.float64, requires_grad=True)
    value = call_with_inputs(loss, logits, torch.tensor([target]), class_counts=counts)
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    return float(value.detach().sum()), gradient[0].tolist()


@pytest.mark.parametrize(("row", "target"), ROWS)
@pytest.mark.parametrize(("name", "fields"), LOSSES)
def test_a_masked_class_is_absent(name: str, fields: dict[str, Any], row: list[float], target: int) -> None:
    loss = component("loss", name, **fields)
    kept = [k for k, logit in enumerate(row) if logit > -INF]
    value, gradient = of(loss, row, target, COUNTS)
    expected, slopes = of(loss, [row[k] for k in kept], kept.index(target), COUNTS[kept]) if len(kept) > 1 else (0, [0])
    assert value == pytest.approx(expected, abs=1e-12)
    assert [gradient[k] for k in kept] == pytest.approx(slopes, abs=1e-12)
    assert [gradient[k] for k in range(3) if k not in kept] == [0.0] * (3 - len(kept))


def test_label_smoothing_without_smoothing_is_cross_entropy() -> None:
    value, _ = of(component("loss", "label_smoothing", epsilon=0.0), [2.0, -INF, 1.0], 0, COUNTS)
    assert value == pytest.approx(math.log1p(math.exp(-1)), abs=1e-15)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_is_finite_in_every_type(dtype: torch.dtype, gamma: float) -> None:
    logits = torch.tensor([[5.0, -INF, -INF]], dtype=dtype, requires_grad=True)
    value = component("loss", "focal", gamma=gamma)(logits, torch.tensor([0]))
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    assert value.tolist() == [0.0]
    assert gradient.tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize("name", ["focal", "label_smoothing"])
def test_without_a_mask_every_bit_stays(name: str) -> None:
    draw = torch.Generator().manual_seed(0)
    logits, target = 5 * torch.randn(500, 7, generator=draw), torch.randint(7, (500,), generator=draw)
    log_p = logits.log_softmax(-1)
    right = log_p.gather(-1, target[:, None])[:, 0]
    rest = log_p.scatter(-1, target[:, None], -INF).logsumexp(-1)
    before = {"focal": -torch.exp(2.0 * rest) * right, "label_smoothing": -(1 - 0.1) * right - 0.1 * log_p.mean(-1)}
    assert torch.equal(component("loss", name)(logits, target), before[name])
