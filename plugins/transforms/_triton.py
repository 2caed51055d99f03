"""Float32 probabilities of `_table.py` on a GPU: three kernels forward, three backward, in `_triton_kernels.py`.

The kernels distribute the logits to the cells by atomic additions, integrate row by row, and interpolate at the logits.
Beside the tables that takes three reads of a row, the first for its largest entry, and one write; the speed has not
been measured. The order of the additions is not fixed, so results differ by rounding from run to run. All sums are
float32, also where torch may multiply matrices in TF32.
"""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from ._tabulated import Table

BLOCK = 1024
"""Most classes that one program processes."""

CELLS = 32
"""Number of cells that a program of one row processes at a time."""

SLOTS = 1 << 27
"""Most numbers kept by cell at a time."""


def available(device: torch.device) -> bool:
    """True if triton is installed and can run there: on CUDA devices, and anywhere under TRITON_INTERPRET=1."""
    wanted = device.type == "cuda" or os.environ.get("TRITON_INTERPRET") == "1"
    return wanted and importlib.util.find_spec("triton") is not None


def serves(t: Table) -> bool:
    """True if the kernels run on the table's device and can use it: four points, and no row to be corrected."""
    return available(t.h.device) and t.cells.points == 4 and not t.mends


def forward(rows: Tensor, t: Table) -> tuple[Tensor, Tensor]:
    """Probabilities [r, n] of rows [r, n] float32, -inf where masked, and their sum before normalization [r, 1].

    A class further below the best than the table covers counts as at its end. A row that contains NaN or +inf, or only
    masks, gives NaN.
    """
    rows = rows.contiguous()
    p, mass = torch.empty_like(rows), rows.new_empty(len(rows), 1)
    for block in _blocks(rows, t):
        _forward(rows[block], t, p[block], mass[block])
    return p, mass


def pull(rows: Tensor, out: Tensor, cotangent: Tensor, t: Table) -> Tensor:
    """Product of the cotangent [r, n] with the Jacobian of `forward` at rows [r, n]; `out` is not needed.

    0 at masks and in rows where `forward` gives NaN.
    """
    rows, cotangent = rows.contiguous(), cotangent.contiguous()
    result = torch.empty_like(rows)
    for block in _blocks(rows, t):
        _pull(rows[block], cotangent[block], t, result[block])
    return result


def _forward(rows: Tensor, t: Table, p: Tensor, mass: Tensor) -> None:
    from . import _triton_kernels as kernels

    (r, n), (size, nodes), (grid, scale) = rows.shape, t.log_cdf.shape, _launch(rows, t)
    top, (counts, rests), g = rows.amax(1), rows.new_zeros(2, r, size, 4), rows.new_empty(r, size)
    with torch.cuda.device_of(rows):
        kernels.spread[grid](rows, top, rows, counts, rests, rests, n, size, **scale, WEIGHTED=False)
        kernels.integrate[(r,)](top, counts, rests, t.log_cdf, t.weighted, g, mass, size, nodes, **_tile(nodes))
        kernels.gather[grid](rows, top, g, mass, p, n, size, **scale)


def _pull(rows: Tensor, cotangent: Tensor, t: Table, result: Tensor) -> None:
    from . import _triton_kernels as kernels

    (r, n), (size, nodes), (grid, scale) = rows.shape, t.log_cdf.shape, _launch(rows, t)
    top, (first, second) = rows.amax(1), rows.new_empty(2, r, size)
    counts, rests, sums = rows.new_zeros(3, r, size, 4)
    with torch.cuda.device_of(rows):
        kernels.spread[grid](rows, top, cotangent, counts, rests, sums, n, size, **scale, WEIGHTED=True)
        kernels.integrate_twice[(r,)](
            counts, rests, sums, t.log_cdf, t.h, t.weighted, first, second, size, nodes, **_tile(nodes)
        )
        kernels.combine[grid](rows, top, cotangent, first, second, result, n, size, **scale)


def _launch(rows: Tensor, t: Table) -> tuple[tuple[int, int], dict[str, Any]]:
    """Launch grid, rows by blocks of classes, and the arguments common to all kernels over the classes."""
    r, n = rows.shape
    block = min(BLOCK, _power(n))
    return (r, -(-n // block)), {"per_cell": 1 / t.cells.width, "BLOCK": block}


def _tile(nodes: int) -> dict[str, int]:
    return {"NODES": _power(nodes), "CELLS": CELLS}


def _power(n: int) -> int:
    """The next power of 2."""
    return 1 << (n - 1).bit_length()


def _blocks(rows: Tensor, t: Table) -> list[slice]:
    """Slices of rows, so short that the numbers kept by cell stay few."""
    step = max(1, SLOTS // (12 * t.cells.size))
    return [slice(start, start + step) for start in range(0, len(rows), step)]
