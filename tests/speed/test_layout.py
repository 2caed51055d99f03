"""Addresses of temporary tensors: another draw in every turn, at every size."""

from __future__ import annotations

import pytest
import torch

from harness.protocols.speed.layout import Layout


@pytest.mark.parametrize("size", [1_000, 40_000, 1_024_000, 4_096_000])
def test_tensors_lie_elsewhere_and_otherwise_apart_after_every_draw(size: int) -> None:
    """Two tensors of one size: where the first lies in its page of memory, and the second from it."""
    layout, places, apart = Layout(), set(), set()
    for _ in range(32):
        layout.draw()
        one, other = (torch.empty(size, dtype=torch.int8) for _ in range(2))
        places.add(one.data_ptr() % 4096)
        apart.add((other.data_ptr() - one.data_ptr()) % 4096)
    assert len(places) > 8 and len(apart) > 8


def test_moved_tensors_are_copies() -> None:
    given = [torch.arange(5.0), torch.eye(3)]
    moved = Layout().moved(given)
    for one, other in zip(given, moved, strict=True):
        assert torch.equal(one, other) and one.data_ptr() != other.data_ptr()
