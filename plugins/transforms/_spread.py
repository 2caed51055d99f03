"""Rows of logits on an even grid of cells: sums over the logits by cell, and functions on the cells at the logits.

A logit lies in a cell at t in (0, 1] and is distributed to the `points` cells around it with Lagrange weights. Masked
logits are in no sum; invalid rows (see `_along.py`) give NaN, and 0 as a gradient.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from . import _kernel
from ._along import clean


class Cells(NamedTuple):
    """Cells of equal width on an even grid; the largest logit lies points / 2 cells before the end.

    `size` cells are `width` wide and start whole widths from the largest logit.
    """

    width: float
    size: int
    points: int

    @property
    def depth(self) -> float:
        """Distance of the first cell below the largest logit; a logit further down counts as there."""
        return (self.size - self.points) * self.width

    def holding(self, reach: float) -> Cells:
        """Cells for logits at most `reach` below the largest; all cells for NaN."""
        needed = math.ceil(reach / self.width) if reach < self.depth else self.size
        return self._replace(size=min(self.size, needed + self.points))


class Spread(Protocol):
    """Logits [r, n] distributed to the cells."""

    @property
    def cells(self) -> Cells:
        """The cells in use: as few as hold the logits."""

    @property
    def deep(self) -> Tensor:
        """Rows [r] with a logit below the first cell."""

    def scatter(self, values: Tensor | None = None) -> Tensor:
        """Sum over the logits of value [r, n] times weight, by cell: [r, cells]; all values are 1 if left out."""

    def gather(self, cells: Tensor, floor: float, masked: float) -> Tensor:
        """Cells [r, cells] interpolated at the logits [r, n], at least `floor`; `masked` where logits are masked."""

    def difference(self, values: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """Values [r, n] times the cells `first` less the cells `second` at the logits, float32 [r, n]."""


def spread(rows: Tensor, cells: Cells, compiled: bool) -> Spread:
    """Logits [r, n] float32 on the cells, by the compiled functions where allowed and available."""
    library = _kernel.library()
    return Compiled(rows, cells, library) if library and one_pass(rows, compiled) else Plain(rows, cells)


def one_pass(rows: Tensor, compiled: bool) -> bool:
    """True if the compiled functions can process these rows."""
    return compiled and rows.device.type == "cpu" and _kernel.library() is not None


class Plain:
    """Implementation by torch's own operations."""

    def __init__(self, rows: Tensor, cells: Cells) -> None:
        self._rows, poison = clean(rows)
        self._poisoned, self._masked = poison.isnan(), rows == -torch.inf
        self.cells = cells = cells.holding(-float(self._rows.amin()))
        last = cells.size - cells.points
        down = self._rows.mul(-1 / cells.width).clamp_(max=last)
        steps = down.long()
        self._first = last - steps
        self._whole = not bool(self._masked.any()) and not bool(self._poisoned.any())
        place = 1 - down.sub_(steps)
        self._weights = _at(cells.points, place.double() if cells.points > 4 else place)

    @property
    def deep(self) -> Tensor:
        """See `Spread.deep`."""
        return ((self._rows < -self.cells.depth) & ~self._masked).any(1)

    def scatter(self, values: Tensor | None = None) -> Tensor:
        """See `Spread.scatter`."""
        # A sum of very many equal ones is inaccurate in float32.
        fine = torch.float64 if self._rows.shape[1] > 256 or self.cells.points > 4 else torch.float32
        kind = fine if values is None else values.dtype
        if values is None and not self._whole:
            values = torch.ones_like(self._rows, dtype=kind)
        values = values if self._whole or values is None else values.masked_fill(self._masked, 0.0)
        total = torch.zeros(len(self._rows), self.cells.size, dtype=kind, device=self._rows.device)
        for k, weight in enumerate(self._weights):
            total[:, k:].scatter_add_(1, self._first, (weight if values is None else weight * values).to(kind))
        return total

    def gather(self, cells: Tensor, floor: float, masked: float) -> Tensor:
        """See `Spread.gather`."""
        result = self._gather(cells).clamp_(min=floor)
        return (
            result if self._whole else result.masked_fill_(self._masked, masked).masked_fill_(self._poisoned, torch.nan)
        )

    def difference(self, values: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """See `Spread.difference`."""
        result = (values * self._gather(first)).sub_(self._gather(second))
        return (result if self._whole else result.masked_fill_(self._masked | self._poisoned, 0.0)).float()

    def _gather(self, cells: Tensor) -> Tensor:
        result = cells.gather(1, self._first).mul_(self._weights[0])  # in the cells' type
        for k, weight in enumerate(self._weights[1:], 1):
            result.addcmul_(cells[:, k:].gather(1, self._first), weight.to(cells.dtype))
        return result


class Compiled:
    """Implementation by the functions of `_cells.cpp`, with one pass over the logits each."""

    def __init__(self, rows: Tensor, cells: Cells, library: _kernel.Library) -> None:
        self._rows, self._library = rows.contiguous(), library
        self._top, low = rows.new_empty(len(rows)), rows.new_empty(len(rows))
        library.call("survey", self._rows, *rows.shape, self._top, low)
        self.deep = low < self._top - cells.depth
        self.cells = cells.holding(float((self._top - low).amax()))

    def scatter(self, values: Tensor | None = None) -> Tensor:
        """See `Spread.scatter`."""
        dtype = torch.float32 if values is None else values.dtype
        return self._call("scatter", (values,), (len(self._rows), self.cells.size), dtype)

    def gather(self, cells: Tensor, floor: float, masked: float) -> Tensor:
        """See `Spread.gather`."""
        return self._call("gather", (cells,), self._rows.shape, cells.dtype, floor, masked)

    def difference(self, values: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """See `Spread.difference`."""
        return self._call("difference", (values, first, second), self._rows.shape, torch.float32)

    def _call(
        self, name: str, given: tuple[Tensor | None, ...], shape: tuple[int, ...], dtype: torch.dtype, *numbers: float
    ) -> Tensor:
        out = torch.empty(shape, dtype=dtype)
        kind = next((t.dtype for t in given if t is not None), dtype)
        weights = weights_of(self.cells.points).to(kind)
        tensors = [None if t is None else t.contiguous() for t in given]
        grid = (1 / self.cells.width, self.cells.size)
        function = f"{name}_{'float' if kind == torch.float32 else 'double'}_{self.cells.points}"
        self._library.call(function, self._rows, self._top, *tensors, weights, out, *self._rows.shape, *grid, *numbers)
        return out


@functools.cache
def weights_of(points: int) -> Tensor:
    """Coefficients [points, points] float64: weight k at t is the sum over j of [k, j] t^j.

    The weights interpolate between 1 - points / 2, ..., points / 2.
    """
    at = np.arange(points) + 1.0 - points // 2
    return torch.from_numpy(np.linalg.inv(np.vander(at, increasing=True)).T.copy())


def _at(points: int, t: Tensor) -> list[Tensor]:
    """Every weight at t [r, n]."""
    if points == 4:
        low, high = (t + 1).mul_(t).mul_(1 / 6), (t - 1).mul_(t - 2).mul_(0.5)
        first, last = high * t, low * (t - 1)
        return [first.mul(-1 / 3), first.add_(high), low.mul(2 - t).mul_(3), last]
    weights = []
    for row in weights_of(points).tolist():
        weight = torch.full_like(t, row[-1])
        for coefficient in row[-2::-1]:
            weight.mul_(t).add_(coefficient)
        weights.append(weight)
    return weights
