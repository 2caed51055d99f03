"""The samples of a cell: its values by seed, and the per-example results kept in files beside the records."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import BenchError
from harness.results import MeasuredRow
from harness.results.codec import restored
from harness.results.values import Number
from harness.statistics.clusters import Array
from harness.statistics.paired import ROUNDING, Sample

Units = tuple[Array, NDArray[np.int64]]  # one seed's unit values [m] and unit numbers [m]


@dataclass(frozen=True, eq=False)
class Measured:
    """One metric of one cell: `values` [S] in the order of `seeds`, and each seed's units where all have some.

    `resolution` is as in `Sample`.
    """

    seeds: tuple[int, ...]
    values: Array
    rows: Mapping[int, Units] | None
    resolution: float = 0.0

    @cached_property
    def rounding(self) -> float:
        """Size of differences that are rounding, by these values alone."""
        finite = self.values[np.isfinite(self.values)]
        return max(ROUNDING * float(np.abs(finite).max(initial=0.0)), self.resolution)

    def shared(self, other: Measured) -> tuple[int, ...]:
        """Return the seeds that another row has too, in their order here."""
        theirs = set(other.seeds)
        return tuple(seed for seed in self.seeds if seed in theirs)

    def sample(self, seeds: Sequence[int] | None = None) -> Sample:
        """Return the sample of some of the seeds, by default all, in the given order."""
        chosen = self.seeds if seeds is None else tuple(seeds)
        place = {seed: k for k, seed in enumerate(self.seeds)}
        values = self.values[[place[seed] for seed in chosen]]
        if self.rows is None or not chosen:
            return Sample(values, None, self.resolution)
        values_of, ids = zip(*(self.rows[seed] for seed in chosen), strict=True)
        return Sample(values, (np.stack(values_of), np.stack(ids)), self.resolution)


def lead(one: Measured, other: Measured, sign: int) -> Measured:
    """Return the difference of two rows at the seeds that both have, times `sign`, with what rounding may add to it."""
    seeds = one.shared(other)
    ours, theirs = one.sample(seeds), other.sample(seeds)
    rows = None
    if one.rows is not None and other.rows is not None:
        rows = {seed: _apart(one.rows[seed], other.rows[seed], sign) for seed in seeds}
        rows = rows if len({len(ids) for _, ids in rows.values()}) == 1 else None
    values = sign * (np.asarray(ours.values) - np.asarray(theirs.values))
    return Measured(seeds, values, rows, one.rounding + other.rounding)


def _apart(one: Units, other: Units, sign: int) -> Units:
    """Return the differences of the units that both have."""
    ids, mine, theirs = np.intersect1d(one[1], other[1], assume_unique=True, return_indices=True)
    return sign * (one[0][mine] - other[0][theirs]), ids


def measured(row: MeasuredRow, labels: Sequence[str]) -> dict[str, Measured]:
    """Return every metric of a row, by label. Results of seeds that the row does not list are not read."""
    units: dict[str, dict[int, Units]] = {label: {} for label in labels}
    for path in row.units:
        _read(path, row.seeds, units)
    found = {}
    for label in labels:
        if label in row.values:
            values = _numbers(row.values[label])
            rows = _complete(units[label], row.seeds, values)
            found[label] = Measured(row.seeds, values, rows, row.resolution.get(label, 0.0))
    return found


def _numbers(values: Sequence[Number]) -> Array:
    return np.array([restored(value) for value in values], float)


def _read(path: str, seeds: Sequence[int], rows: dict[str, dict[int, Units]]) -> None:
    """Add a file's results for the requested seeds. Raises BenchError if it is damaged."""
    try:
        _add(path, set(seeds), rows)
    except (OSError, EOFError, ValueError, LookupError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise BenchError(f"{Path(path).name} cannot be read: {type(error).__name__}: {error}") from None


def _add(path: str, wanted: set[int], rows: dict[str, dict[int, Units]]) -> None:
    with np.load(path) as file:
        there = [int(seed) for seed in file["seeds"]]
        for label, found in rows.items():
            if f"{label}/values" not in file:
                continue
            values, ids = file[f"{label}/values"], file[f"{label}/ids"]
            found.update({seed: (values[k], ids[k]) for k, seed in enumerate(there) if seed in wanted})


def _complete(rows: dict[int, Units], seeds: Sequence[int], values: Array) -> dict[int, Units] | None:
    """Return the results if every seed with a finite value has one and all have the same length; else None."""
    finite = {seed for seed, value in zip(seeds, values, strict=True) if math.isfinite(value)}
    if not rows or not finite <= set(rows) or len({len(ids) for _, ids in rows.values()}) > 1:
        return None
    values_of, ids = next(iter(rows.values()))
    lost = (np.full(len(values_of), math.nan), ids)
    return {seed: rows.get(seed, lost) for seed in seeds}
