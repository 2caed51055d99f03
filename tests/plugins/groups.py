"""Random groups of items for the tests of the losses on them."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
from torch import Tensor

from harness.discovery.registry import component

NAMES = ("grouped_truncated", "grouped_soft", "grouped_kl", "grouped_cross_entropy", "grouped_balanced")
EVERY = pytest.mark.parametrize("name", NAMES)
KINDS = pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])


@functools.cache
def make(name: str) -> Any:
    return component("loss", name)


def draw(batch: int = 3, items: int = 5, classes: int = 4, soft: bool = False, seed: int = 0) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(batch, items, classes, generator=g, dtype=torch.float64)
    if soft:
        return logits, torch.randn(batch, items, classes, generator=g, dtype=torch.float64).softmax(-1)
    return logits, torch.randint(classes, (batch, items), generator=g)


def minimized(name: str, target: Tensor) -> Tensor:
    """The probabilities at the minimum, from random logits."""
    logits = torch.randn(target.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    logits.requires_grad_()
    search = torch.optim.LBFGS(
        [logits], max_iter=2000, tolerance_grad=1e-13, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        search.zero_grad()
        value: Tensor = make(name)(logits, target).sum()
        value.backward()
        return value

    search.step(closure)
    return logits.detach().softmax(-1)
