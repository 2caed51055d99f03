"""EXACT from draws against EXACT by quadrature, and the logarithm of the mean against its definition."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch
from torch import Tensor

from harness.discovery.registry import component
from plugins.losses.exact_sampled import factors


def loss(name: str, **fields: Any) -> Any:
    return component("loss", name, **fields)


def draw(batch: int, classes: int) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(1)
    return torch.randn(batch, classes, generator=g, dtype=torch.float64), torch.randint(classes, (batch,), generator=g)


def slope(value: Tensor, logits: Tensor) -> Tensor:
    return torch.autograd.grad(value.sum(), logits)[0]


@pytest.mark.parametrize("fields", [{}, {"margin": 0.5, "temperature": 0.7}, {"standardize": True}], ids=str)
@pytest.mark.parametrize("classes", [2, 4])
def test_many_draws_give_the_value_and_the_gradient_of_quadrature(classes: int, fields: dict[str, Any]) -> None:
    logits, target = draw(6, classes)
    logits.requires_grad_()
    many = loss("exact_sampled", draws=20_000, **fields)(logits, target, generator=torch.Generator().manual_seed(0))
    exact = loss("exact", **fields)(logits, target)
    torch.testing.assert_close(many, exact, rtol=0, atol=4e-3)
    torch.testing.assert_close(slope(many, logits), slope(exact, logits), rtol=0, atol=6e-3)


def test_two_classes_need_no_draws() -> None:
    logits, target = draw(6, 2)
    one = loss("exact_sampled", draws=1)(logits, target)
    torch.testing.assert_close(one, loss("exact")(logits, target), rtol=0, atol=1e-6)


def test_sixteen_draws_have_the_published_spread() -> None:
    logits, target = torch.tensor([[2.0, 1.0, 0.0, -1.0]], dtype=torch.float64), torch.tensor([0])
    sampled = loss("exact_sampled")
    found = torch.stack([sampled(logits, target, torch.Generator().manual_seed(k))[0] for k in range(600)])
    assert float(found.mean()) == pytest.approx(1 - 0.7253018479, abs=1.5e-3)
    assert float(found.std()) == pytest.approx(0.0063, rel=0.15)


def test_the_factor_is_that_of_cholesky() -> None:
    size = 5
    expected = numpy.linalg.cholesky(numpy.eye(size) + 1)
    for column, (diagonal, below) in enumerate(factors(size)):
        numpy.testing.assert_allclose(expected[column, column], diagonal)
        numpy.testing.assert_allclose(expected[column + 1 :, column], below)


def test_the_mean_of_logs_has_the_published_floor() -> None:
    logits, target = draw(6, 3)
    mean = loss("exact_sampled")(logits, target, generator=torch.Generator().manual_seed(0))
    logs = loss("exact_sampled", aggregate="meanlog")(logits, target, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(logs, -(1 - mean + 1e-6).log())


@pytest.mark.parametrize("transform", ["softmax", "gaussian"])
def test_the_log_of_the_mean_has_a_gradient_parallel_to_that_of_the_mean(transform: str) -> None:
    logits, target = draw(8, 4)
    logits.requires_grad_()
    mean = loss("exact", transform=transform)(logits, target).mean()
    log = loss("exact", transform=transform, aggregate="logmean")(logits, target)
    torch.testing.assert_close(log, -(1 - mean).log())
    torch.testing.assert_close(slope(log, logits), slope(mean, logits) / (1 - mean).detach())
