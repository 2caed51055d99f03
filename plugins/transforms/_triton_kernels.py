"""Device code of `_triton.py`; importing this file imports triton.

Rows are [r, n] with largest entries top [r], cells [r, b], nodes q. A sum over the classes by cell is kept as
[r, b, 4], where slot k of cell b belongs to the point b + k: the four additions of a class lie side by side, one
transaction from compute capability 9 on. The number of classes in a cell is kept in two parts: counts hold whole
multiples of 1 / 512, which add up without rounding for 32,768 classes, also where all are equal and a plain sum would
round each time the same way; rests hold the remainder. Triton gives the parameters their types: tensors are pointers,
`tl.constexpr` is known when a kernel is compiled.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def lagrange(t, k):
    """Weights of the points k = 0 ... 3, which lie at -1, 0, 1, 2, at t in (0, 1]."""
    low, high = (t + 1) * t * (1 / 6), (t - 1) * (t - 2) * 0.5
    return tl.where(k < 2, high * tl.where(k == 0, t * (-1 / 3), t + 1), low * tl.where(k == 2, 6 - 3 * t, t - 1))


@triton.jit
def place(mu, size, per_cell):
    """First of the four points around each class, and the distance beyond the second; NaN stays NaN."""
    last = size - 4
    down = -mu * per_cell
    down = tl.where(down > last, last.to(tl.float32), down)
    steps = tl.where(down >= 0, down, 0.0).to(tl.int32)
    return last - steps, 1 - (down - steps)


@triton.jit
def interpolate(cells, first, t):
    """A row of cells interpolated at some of its classes."""
    value = tl.load(cells + first) * lagrange(t, 0)
    for k in tl.static_range(1, 4):
        value += tl.load(cells + first + k) * lagrange(t, k)
    return value


@triton.jit
def total(slots, row, b, size):
    """Sums at some points b of a row, from [r, b, 4]."""
    k = tl.arange(0, 4)[None, :]
    cell = b[:, None] - k
    return tl.sum(tl.load(slots + (row * size + cell) * 4 + k, mask=(cell >= 0) & (cell < size), other=0.0), 1)


@triton.jit
def number(counts, rests, row, b, size):
    """Number of classes at some points b of a row."""
    return total(counts, row, b, size) + total(rests, row, b, size)


@triton.jit
def tile(table, i, j, height, width):
    """Part [i, j] of a table [height, width], 0 outside."""
    inside = (i[:, None] < height) & (j[None, :] < width)
    return tl.load(table + i[:, None] * width + j[None, :], mask=inside, other=0.0)


@triton.jit
def spread(rows, top, values, counts, rests, sums, n, size, per_cell,
           WEIGHTED: tl.constexpr, BLOCK: tl.constexpr):  # fmt: skip
    """Add to counts and rests, WEIGHTED also values to sums, all [r, b, 4]; the grid is rows by blocks of classes.

    Classes below all cells are left out: all of them together change log P(max <= x) by 1e-8.
    """
    row, column = tl.program_id(0).to(tl.int64), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    mu = tl.load(rows + row * n + column, mask=column < n, other=float("-inf")) - tl.load(top + row)
    first, t = place(mu, size, per_cell)
    reached = -mu * per_cell < size - 4
    k, alive = tl.arange(0, 4)[None, :], reached[:, None]
    weight, slot = lagrange(t[:, None], k), (row * size + first[:, None]) * 4 + k
    whole = tl.floor(weight * 512) * (1 / 512)
    tl.atomic_add(counts + slot, whole, mask=alive, sem="relaxed")
    tl.atomic_add(rests + slot, weight - whole, mask=alive, sem="relaxed")
    if WEIGHTED:
        v = tl.load(values + row * n + column, mask=reached, other=0.0)
        tl.atomic_add(sums + slot, weight * v[:, None], mask=alive, sem="relaxed")


@triton.jit
def integrate(top, counts, rests, log_cdf, weighted, g, mass, size, nodes,
              NODES: tl.constexpr, CELLS: tl.constexpr):  # fmt: skip
    """Add exp(counts @ log_cdf) @ weighted to g [r, b] and its sum over the classes to mass [r]; the grid is rows."""
    row, q = tl.program_id(0).to(tl.int64), tl.arange(0, NODES)
    log_joint = tl.zeros([CELLS, NODES], tl.float32)
    for start in range(0, size, CELLS):
        b = start + tl.arange(0, CELLS)
        log_joint += number(counts, rests, row, b, size)[:, None] * tile(log_cdf, b, q, size, nodes)
    joint = tl.exp(tl.minimum(tl.sum(log_joint, 0), 0.0))[:, None]
    whole = tl.zeros([CELLS], tl.float32)
    for start in range(0, size, CELLS):
        b = start + tl.arange(0, CELLS)
        part = tl.sum(joint * tile(weighted, q, b, nodes, size), 0)
        tl.store(g + row * size + b, part, mask=b < size)
        whole += part * number(counts, rests, row, b, size)
    poison = tl.load(top + row) * 0.0
    tl.store(mass + row, tl.sum(whole, 0) + poison)


@triton.jit
def integrate_twice(counts, rests, sums, log_cdf, h, weighted, first, second, size, nodes,
                    NODES: tl.constexpr, CELLS: tl.constexpr):  # fmt: skip
    """Add (joint * (counts @ h)) @ weighted to first and (joint * (sums @ h)) @ weighted to second, both [r, b]."""
    row, q = tl.program_id(0).to(tl.int64), tl.arange(0, NODES)
    log_joint = tl.zeros([CELLS, NODES], tl.float32)
    all_h = tl.zeros([CELLS, NODES], tl.float32)
    sum_h = tl.zeros([CELLS, NODES], tl.float32)
    for start in range(0, size, CELLS):
        b = start + tl.arange(0, CELLS)
        count, of_h = number(counts, rests, row, b, size)[:, None], tile(h, b, q, size, nodes)
        log_joint += count * tile(log_cdf, b, q, size, nodes)
        all_h += count * of_h
        sum_h += total(sums, row, b, size)[:, None] * of_h
    joint = tl.exp(tl.minimum(tl.sum(log_joint, 0), 0.0))
    of_first, of_second = (joint * tl.sum(all_h, 0))[:, None], (joint * tl.sum(sum_h, 0))[:, None]
    for start in range(0, size, CELLS):
        b = start + tl.arange(0, CELLS)
        of_weighted = tile(weighted, q, b, nodes, size)
        tl.store(first + row * size + b, tl.sum(of_first * of_weighted, 0), mask=b < size)
        tl.store(second + row * size + b, tl.sum(of_second * of_weighted, 0), mask=b < size)


@triton.jit
def gather(rows, top, g, mass, p, n, size, per_cell, BLOCK: tl.constexpr):
    """Write g at the classes, divided by the mass, to p [r, n]; the grid is rows by blocks of classes."""
    row, column = tl.program_id(0).to(tl.int64), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    mu = tl.load(rows + row * n + column, mask=column < n, other=float("-inf")) - tl.load(top + row)
    first, t = place(mu, size, per_cell)
    value = interpolate(g + row * size, first, t)
    value = tl.where((value < 0) | (mu == float("-inf")), 0.0, value) / tl.load(mass + row)
    tl.store(p + row * n + column, value, mask=column < n)


@triton.jit
def combine(rows, top, values, first_cells, second_cells, out, n, size, per_cell, BLOCK: tl.constexpr):
    """Write values * first - second at the classes to out [r, n]; the grid is rows by blocks of classes."""
    row, column = tl.program_id(0).to(tl.int64), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    mu = tl.load(rows + row * n + column, mask=column < n, other=float("-inf")) - tl.load(top + row)
    able = mu > float("-inf")  # not so for NaN either
    v = tl.load(values + row * n + column, mask=able, other=0.0)
    first, t = place(mu, size, per_cell)
    value = v * interpolate(first_cells + row * size, first, t) - interpolate(second_cells + row * size, first, t)
    tl.store(out + row * n + column, tl.where(able, value, 0.0), mask=column < n)
