"""Repeated operations against the function itself; what cannot be repeated is called every time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import harness
from harness import Loss, component
from tests.plugins.training import make_job

harness.components("trainer")
from harness.stock.trainers._replay import Replayed  # noqa: E402

CALLS: list[int] = []


class Counted(Loss):
    """Notes that it was called."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        CALLS.append(len(target))
        return logits.logsumexp(-1) - logits.gather(-1, target[:, None])[:, 0]


class Branching(torch.autograd.Function):
    """Computes outside of torch, unseen: another function of numbers that no test has."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x * 2 if x.numpy().max() < 1e9 else x * 3

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Saves nothing."""

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> Any:
        return cotangents[0] * 2

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Tensor) -> Any:
        return Branching.apply(x), 0


class Unseen(Counted):
    """Calls a function that computes outside of torch."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return super().__call__(Branching.apply(logits), target)


class Timed(Counted):
    """Another function at every step."""

    def __call__(self, logits: Tensor, target: Tensor, step: int = 0) -> Tensor:
        return super().__call__(logits, target) * (1 + step % 3)


def gradient(x: Tensor) -> tuple[Tensor, ...]:
    leaf = x.detach().requires_grad_()
    top, place = leaf.max(-1)
    return (*torch.autograd.grad((top * leaf.tanh().sum(-1)).sum(), leaf), place)


def in_place(x: Tensor) -> tuple[Tensor, ...]:
    y = x.clone()
    y[:, 0].mul_(3.0)
    return (y.exp_().add_(x),)


def outside(x: Tensor) -> tuple[Tensor, ...]:
    return (x + torch.from_numpy(np.sort(x.numpy())),)


def filled(x: Tensor) -> tuple[Tensor, ...]:
    y = torch.empty_like(x)
    y.numpy()[:] = 2 * x.numpy()
    return (y,)


def read(x: Tensor) -> tuple[Tensor, ...]:
    return (x * 2 if float(x[0, 0]) > 0 else x * 3,)


def drawn(x: Tensor) -> tuple[Tensor, ...]:
    return (x + torch.rand(x.shape),)


def chosen(x: Tensor) -> tuple[Tensor, ...]:
    return (x * len((x > 0).nonzero()),)


def joined(x: Tensor) -> tuple[Tensor, ...]:
    return (torch.cat([x, x]),)


def inputs() -> list[Tensor]:
    draw = torch.Generator().manual_seed(0)
    return [torch.randn(4, 5 + k % 2, generator=draw) for k in range(16)]


@pytest.mark.parametrize("function", [gradient, in_place])
def test_operations_are_repeated_for_each_layout(function: Callable[..., Any]) -> None:
    calls = []

    def noted(x: Tensor) -> tuple[Tensor, ...]:
        calls.append(x.shape)
        return tuple(function(x))

    replayed = Replayed(noted)
    for x in inputs():
        assert all(torch.equal(a, b) for a, b in zip(replayed(x), function(x), strict=True))
    assert len(calls) == 2 * 4  # three ordinary calls and a recorded one


@pytest.mark.parametrize("function", [outside, filled, read, drawn, chosen, joined])
def test_a_function_that_cannot_be_repeated_is_called_every_time(function: Callable[..., Any]) -> None:
    calls = []

    def noted(x: Tensor) -> tuple[Tensor, ...]:
        calls.append(x.shape)
        return tuple(function(x))

    replayed = Replayed(noted)
    for x in inputs():
        torch.manual_seed(1)
        found = replayed(x)
        if function is not drawn:
            assert torch.equal(found[0], function(x)[0])
    assert len(calls) >= len(inputs())


def test_a_function_that_changes_is_not_repeated() -> None:
    count = iter(range(100))
    replayed = Replayed(lambda x: (x * next(count),))
    found = [float(replayed(torch.ones(1))[0]) for _ in range(8)]
    assert len(set(found)) == 8


def test_a_function_that_changes_later_is_an_error_and_no_other_number() -> None:
    """It counts its calls outside of its arguments, and changes at the sixth, which is beside the hundredth."""
    calls: list[int] = []

    def function(x: Tensor) -> tuple[Tensor, ...]:
        calls.append(1)
        return (x * (2 if len(calls) < 6 else 3) + 1,)

    replayed = Replayed(function)
    for _ in range(99):
        assert torch.equal(replayed(torch.ones(3))[0], torch.full((3,), 3.0))
    with pytest.raises(harness.BenchError, match="became another function in the course of training"):
        replayed(torch.ones(3))


def test_a_loss_is_called_for_few_steps_only(tmp_path: Path) -> None:
    CALLS.clear()
    component("trainer", "stacked").fit(make_job(Counted(), tmp_path, seeds=range(32), epochs=6))
    assert len(CALLS) == 2 * 4  # 30 steps, batches of 10 and of 7


@pytest.mark.parametrize("loss", [Timed(), Unseen()], ids=str)
def test_a_loss_that_may_change_is_called_at_every_step(loss: Loss, tmp_path: Path) -> None:
    CALLS.clear()
    component("trainer", "stacked").fit(make_job(loss, tmp_path, seeds=range(32), epochs=6))
    assert len(CALLS) == 30
