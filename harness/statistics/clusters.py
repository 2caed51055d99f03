"""The variance of a mean over seeds and test examples: by seeds, by examples, or clustered both ways."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import BenchError

Array = NDArray[np.float64]
Table = tuple[ArrayLike, ArrayLike]
"""Unit values [S, m] and unit numbers [S, m]; the same number is the same example (or group) at every seed."""
Units = tuple[NDArray[np.int64], Array]
"""Unit numbers and unit values [n] of all seeds, concatenated."""


@dataclass(frozen=True)
class Spread:
    """The `variance` of a mean and its degrees of freedom; `kind` is the one used.

    `by_seeds` and `by_examples` are the parts of the variance that shrink as seeds or examples grow; `examples` counts
    the distinct ones.
    """

    kind: str
    variance: float
    df: int
    examples: int
    by_seeds: float
    by_examples: float


def spread(values: Array, units: Units | None, kind: str) -> Spread:
    """Return the spread of the mean of `values` [S], by `kind` or the nearest that the data allow.

    Two-way clustering is V = V_seed + V_example - V_cell (Cameron, Gelbach and Miller 2011), never below either part.
    Each sum of squares carries G/(G-1) for its G clusters and the two-way sum both factors, which makes it unbiased
    for crossed random effects of seed and example on a fixed test set. One seed leaves examples, no units leave seeds.
    """
    if kind not in ("both", "seeds", "examples"):
        raise BenchError(f"interval: {kind!r} is not both, seeds or examples")
    seeds = len(values)
    by_seeds = float(values.var(ddof=1) / seeds) if seeds > 1 else math.nan
    by_examples, cell, examples = _clustered(units) if units is not None else (math.nan, math.nan, 0)
    if examples < 2:
        return Spread("seeds", by_seeds, seeds - 1, examples, by_seeds, 0.0)
    if seeds < 2:
        return Spread("seeds" if kind == "seeds" else "examples", by_seeds if kind == "seeds" else by_examples,
                      0 if kind == "seeds" else examples - 1, examples, 0.0, by_examples)  # fmt: skip
    two_way = by_seeds * examples / (examples - 1) + seeds / (seeds - 1) * (by_examples - cell)
    both = float(np.max([two_way, by_seeds, by_examples]))
    overlap = max(by_seeds + by_examples - both, 0.0)
    if kind == "seeds":
        return Spread(kind, by_seeds, seeds - 1, examples, by_seeds, overlap)
    if kind == "examples":
        return Spread(kind, by_examples, examples - 1, examples, overlap, by_examples)
    return Spread(kind, both, min(seeds, examples) - 1, examples, by_seeds, by_examples)


def _clustered(units: Units) -> tuple[float, float, int]:
    """Return (variance clustered by example, variance of independent results, distinct examples), bias-corrected."""
    ids, values = units
    numbers, codes = np.unique(ids, return_inverse=True)
    examples = len(numbers)
    if examples < 2:
        return math.nan, math.nan, examples
    residuals = values - values.mean()
    scale = examples / (examples - 1) / len(values) ** 2
    totals = np.bincount(codes, residuals)
    return scale * float(totals @ totals), scale * float(residuals @ residuals), examples


def row(table: Table | None, keep: NDArray[np.bool_]) -> Units | None:
    """Return the units of the kept seeds, concatenated; None if there are none."""
    if table is None or not keep.any():
        return None
    values, ids = _rows(table, keep)
    return ids.ravel(), values.ravel()


def paired(table: Table | None, baseline: Table | None, keep: NDArray[np.bool_]) -> Units | None:
    """Return the differences of two tables at the kept seeds, over the examples that both have at a seed."""
    if table is None or baseline is None or not keep.any():
        return None
    (values, ids), (others, names) = _rows(table, keep), _rows(baseline, keep)
    if np.array_equal(ids, names):
        return ids.ravel(), (values - others).ravel()
    common, differences = [], []
    for seed in range(len(ids)):
        both, i, j = np.intersect1d(ids[seed], names[seed], assume_unique=True, return_indices=True)
        common.append(both)
        differences.append(values[seed, i] - others[seed, j])
    return np.concatenate(common), np.concatenate(differences)


def _rows(table: Table, keep: NDArray[np.bool_]) -> tuple[Array, NDArray[np.int64]]:
    return np.asarray(table[0], float)[keep], np.asarray(table[1], np.int64)[keep]
