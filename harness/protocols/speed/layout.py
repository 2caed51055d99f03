"""Memory layout, drawn anew for every turn.

Addresses determine collisions in caches and aliasing between loads and stores, up to a tenth of the time of a
short call, and a process keeps its addresses. Drawn for every turn they are noise, which blocks average out, and no
lasting difference between equal contenders.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor

SPACERS, SPAN = 8, 2**15
"""Number and largest size in bytes of blocks that are held to shift later allocations."""


class Layout:
    """This process's own draws of addresses."""

    def __init__(self) -> None:
        self._held: list[Tensor] = []

    def moved(self, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return copies of the tensors at other addresses."""
        draw = random.SystemRandom()  # no two processes draw the same
        sizes = [draw.randrange(1, SPAN) for _ in range(SPACERS)]
        self._held = [torch.empty(size, dtype=torch.int8) for size in sizes]
        return tuple(tensor.detach().clone() for tensor in tensors)
