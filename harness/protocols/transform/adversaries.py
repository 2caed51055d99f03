"""Logits on which transforms tend to fail."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from harness.random import generator

SCALES = (1e-6, 1.0, 30.0, 1e3)
"""Deviations of random rows: from nearly equal logits to extreme gaps."""


def adversaries(n: int, seed: int) -> list[Tensor]:
    """Return groups of rows [r, n] in float64: all equal, one far ahead or behind, ties, random rows of every scale."""
    return list(_groups(n, seed))


def _groups(n: int, seed: int) -> Iterator[Tensor]:
    draw = generator(seed, "adversaries")
    yield torch.zeros(1, n, dtype=torch.float64)
    first = torch.zeros(1, n, dtype=torch.float64)
    first[0, 0] = 1.0
    for gap in (1e-3, 1.0, 20.0, 300.0):
        yield gap * first
        yield -gap * first
    yield torch.randint(0, 3, (8, n), generator=draw).double()  # ties
    for scale in SCALES:
        yield scale * torch.randn(8, n, dtype=torch.float64, generator=draw)
