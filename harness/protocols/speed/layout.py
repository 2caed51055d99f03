"""Memory layout, drawn anew for every turn.

Addresses determine collisions in caches, aliasing between loads and stores, and which temporary tensors reuse the
memory of earlier ones: a tenth of the time of a short call, a third of that of one with temporary tensors of a
megabyte. A process keeps its addresses, and its copies inherit them. Drawn for every turn they are noise, which blocks
average out. The draws of all processes are alike only where their heaps are: the holes of what a process did before
are filled first.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor

SIZES, HOLES, SPAN = range(10, 24), 4, 2**12
"""Powers of 2 of the sizes of holes in bytes, the number of holes of each, the largest size of what lies between."""


class Layout:
    """This process's own draws of addresses."""

    def __init__(self) -> None:
        self._filling: list[Tensor] = []
        self._held: list[Tensor] = []

    def draw(self) -> None:
        """Leave holes of random sizes, apart from each other, into which later tensors of any size fall."""
        self._filling = self._filling or _filling()
        draw = random.SystemRandom()  # no two processes draw the same
        sizes = [int(2**power * draw.uniform(1, 2)) for power in SIZES for _ in range(HOLES)]
        draw.shuffle(sizes)
        self._held = []  # the holes of the draw before join, or tensors would fall into them again
        pairs = [(_bytes(size), _bytes(draw.randrange(1, SPAN))) for size in sizes]
        self._held = [between for _, between in pairs]

    def moved(self, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return copies of the tensors at other addresses."""
        self.draw()
        return tuple(tensor.detach().clone() for tensor in tensors)


def _filling() -> list[Tensor]:
    """Fill every hole of the heap by tensors from large to small, which nothing touches."""
    _bytes(2**SIZES.stop)  # once it is freed the C library takes blocks up to this size from one heap
    end, filling = _bytes(2 ** (SIZES.stop - 1)), []
    for power in reversed(SIZES):
        while (one := _bytes(2**power)).data_ptr() < end.data_ptr():
            filling.append(one)
    return filling


def _bytes(size: int) -> Tensor:
    return torch.empty(size, dtype=torch.int8)
