"""Addresses of temporary tensors: another draw in every turn, at every size."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch

from harness.protocols.speed.layout import Layout

SIZES, DRAWS = (1_000, 40_000, 1_024_000, 4_096_000), 64


def _addresses(size: int) -> tuple[set[int], set[int]]:
    """Two tensors of one size: where the first lies in its page of memory, and the second from it."""
    layout, places, apart = Layout(), set(), set()
    for _ in range(DRAWS):
        layout.draw()
        one, other = (torch.empty(size, dtype=torch.int8) for _ in range(2))
        places.add(one.data_ptr() % 4096)
        apart.add((other.data_ptr() - one.data_ptr()) % 4096)
    return places, apart


def test_tensors_lie_elsewhere_and_otherwise_apart_after_every_draw() -> None:
    """In a process of its own, as a worker has: the heap of the tests is full of holes of theirs."""
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        for size, (places, apart) in zip(SIZES, fresh.map(_addresses, SIZES), strict=True):
            assert min(len(places), len(apart)) > DRAWS // 8, f"{size} bytes"


def test_moved_tensors_are_copies() -> None:
    given = [torch.arange(5.0), torch.eye(3)]
    moved = Layout().moved(given)
    for one, other in zip(given, moved, strict=True):
        assert torch.equal(one, other) and one.data_ptr() != other.data_ptr()
