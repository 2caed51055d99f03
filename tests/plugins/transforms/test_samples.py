"""Draws of the noise transforms, and laws every one of them obeys."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import harness

NAMES = ["gaussian", "logistic", "student_t", "cauchy", "laplace", "uniform", "noise_argmax"]
LOGITS = st.lists(st.floats(-40, 40, width=32), min_size=1, max_size=6)


def build(name: str, **fields: Any) -> Any:
    return harness.component("transform", name, **fields)


@pytest.mark.parametrize("name", NAMES)
def test_draws_match_the_probabilities(name: str) -> None:
    transform, draws = build(name, scale=0.8), 40_000
    logits = torch.tensor([0.5, 0.0, -0.3, -torch.inf], dtype=torch.float64)
    hard = transform.rsample(logits.expand(draws, 4), torch.Generator().manual_seed(1))
    assert set(hard.unique().tolist()) == {0.0, 1.0} and (hard.sum(1) == 1).all()
    p = transform(logits)
    assert ((hard.mean(0) - p).abs() <= 4 * (p * (1 - p) / draws).sqrt()).all()


def test_draws_repeat_with_their_generator_and_have_the_gradient_of_p() -> None:
    transform, logits = build("gaussian"), torch.tensor([[0.5, 0.0, -0.3]], dtype=torch.float64, requires_grad=True)
    first, again = (transform.rsample(logits, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    weight = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    (of_draw,) = torch.autograd.grad((first * weight).sum(), logits)
    (of_p,) = torch.autograd.grad((transform(logits) * weight).sum(), logits)
    assert torch.equal(of_draw, of_p)


@pytest.mark.verify
@pytest.mark.parametrize("name", NAMES[:-1])
@settings(max_examples=10, deadline=None, derandomize=True)
@given(values=LOGITS, shift=st.integers(-1000, 1000), seed=st.integers(0, 100))
def test_the_axioms(name: str, values: list[float], shift: int, seed: int) -> None:
    transform, logits = build(name), torch.tensor(values, dtype=torch.float64)
    p, log_p = transform(logits), transform.log(logits)
    assert (p >= 0).all() and abs(p.sum().item() - 1) < 1e-12
    assert (p[logits.argsort()].diff() >= -1e-12).all()
    assert torch.allclose(transform(logits + shift), p, rtol=0, atol=1e-10)
    order = torch.randperm(len(values), generator=torch.Generator().manual_seed(seed))
    assert torch.allclose(transform(logits[order]), p[order], rtol=0, atol=1e-13)
    assert torch.allclose(log_p.exp(), p, rtol=0, atol=1e-10) and (log_p <= 1e-12).all()
