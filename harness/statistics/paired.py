"""Intervals, paired tests and sample sizes: pure functions of arrays.

An interval has two sources of variation: the seeds, and the finite set of test examples. The default, `both`, clusters
the variance of the per-example results both ways (`clusters`) and uses Student's t on min(clusters) - 1 degrees of
freedom. Examples cluster by their number, so a fixed test set (the same numbers at every seed) and resampled splits
(other numbers at every seed) need no different treatment.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from harness.errors import BenchError
from harness.statistics.clusters import Array, Table, paired, row, spread

MOST = 100_000
"""Number of additional seeds or examples above which the answer is never."""
ROUNDING = 4 * 2.0**-23
"""Share of the values below which a difference is rounding: four units in the last place of float32, 4.8e-7.

Networks, samplers and metrics compute in float32, where every operation rounds by up to half a unit; two ways to
compute one number differ by some of them. Where the inputs of a metric are larger than its value, or it is not linear
in them, its `resolution` takes their place.
"""


@dataclass(frozen=True, eq=False)
class Sample:
    """One metric of one cell: `values` [S], one per seed, not finite where the seed diverged.

    `units` = (unit values [S, m], unit numbers [S, m]): results per example, or jackknife pseudo-values per group of
    examples; the same number is the same example at every seed. Units give the variance, never the mean. `resolution`
    is the change of a value that rounding of its inputs may cause, in the metric's unit; 0 if unknown.
    """

    values: ArrayLike
    units: Table | None = None
    resolution: float = 0.0


@dataclass(frozen=True)
class Interval:
    """A mean over the finite seeds and its two-sided interval, NaN where none exists; `kind` is what was used."""

    mean: float
    low: float
    high: float
    kind: str


@dataclass(frozen=True)
class Difference:
    """Sample minus baseline, in the metric's unit, over the `pairs` seeds where both are finite (`dropped` others).

    `p` is two-sided, None where no test is possible, never below `least`. `error` is the standard error, with `df`
    degrees of freedom; `by_seeds` and `by_examples` are the parts of its square that shrink as each grows. `identical`
    says that every pair is equal to rounding: the difference and its interval are 0 then, p is 1.
    """

    difference: float
    low: float
    high: float
    p: float | None
    kind: str
    pairs: int
    dropped: int
    examples: int
    error: float
    df: float
    by_seeds: float
    by_examples: float
    least: float
    identical: bool = False


@dataclass(frozen=True)
class Needed:
    """Number of further seeds, or of further examples, that would decide; None if no number does."""

    seeds: int | None
    examples: int | None


def interval(sample: Sample, kind: str = "both", level: float = 0.95) -> Interval:
    """Return the mean over seeds with its interval. `both` becomes `examples` at one seed and `seeds` without units."""
    values = np.asarray(sample.values, float)
    keep = np.isfinite(values)
    parts = spread(values[keep], row(sample.units, keep), kind)
    mean = _mean(values[keep])
    half = _quantile(level, parts.df) * math.sqrt(parts.variance)
    return Interval(mean, mean - half, mean + half, parts.kind)


def difference(sample: Sample, baseline: Sample, kind: str = "both", level: float = 0.95) -> Difference:
    """Return the paired difference of two samples with seeds in the same order; units pair by seed and number.

    Pairs that are all equal to rounding are identical: the difference is 0 with p = 1 and the interval [0, 0]. It takes
    every pair, since a mean over seeds may be far smaller than the differences it is made of, and a seed that is finite
    in one alone is no such pair. A difference that is
    constant and not zero gives Student's t no scale: its p is 2^(1-S), the exact sign-flip test and the most that S
    equal signs can support, and its interval is the point, or NaN where that p does not reach the level. Only a metric
    without units that is one constant in each method (network calls, say) has p = 0.
    """
    x, y = np.asarray(sample.values, float), np.asarray(baseline.values, float)
    keep = np.isfinite(x) & np.isfinite(y)
    alike = np.array_equal(np.isfinite(x), np.isfinite(y))
    x, y, pairs = x[keep], y[keep], int(keep.sum())
    units = paired(sample.units, baseline.units, keep)
    parts = spread(x - y, units, kind)
    error, rounding = math.sqrt(parts.variance), rounding_of(sample, baseline, x, y)
    identical = bool(pairs and alike and not error > rounding and np.abs(x - y).max() <= rounding)
    mean = 0.0 if identical else _mean(x - y)
    error = 0.0 if identical or (error <= rounding and np.ptp(x - y) <= rounding) else error
    exact = units is None and not np.ptp([x, y], axis=1).any() if pairs else False
    least = 0.0 if error != 0 or exact else 2.0 ** (1 - pairs)
    p, half = (1.0 if parts.df > 0 else None, 0.0) if identical else tested(mean, error, parts.df, least, level)
    half = half if parts.df > 0 else math.nan
    return Difference(mean, mean - half, mean + half, p, parts.kind, pairs, len(keep) - pairs, parts.examples, error,
                      parts.df, parts.by_seeds, parts.by_examples, least, identical)  # fmt: skip


def rounding_of(sample: Sample, baseline: Sample, x: Array, y: Array) -> float:
    """Return the size of differences that are rounding, for the finite values of both: each may be off by its own."""
    most = max((float(np.abs(each).max(initial=0.0)) for each in (x, y)), default=0.0)
    return max(ROUNDING * most, sample.resolution + baseline.resolution)


def tested(mean: float, error: float, df: float, least: float, level: float) -> tuple[float | None, float]:
    """Return Student's t test of a mean and its standard error: (p, never below `least`; half the interval, or NaN).

    Without an error the mean differs from 0 only if `least` reaches the level.
    """
    p: float | None = None
    if df > 0 and error >= 0:
        distance = abs(mean) / error if error > 0 else (math.inf if mean else 0.0)
        p = max(least, float(2 * stats.t.sf(distance, df)))
    return p, _quantile(level, df) * error if not mean or least <= 1 - level else math.nan


def holm(ps: Sequence[float | None], unknown: int = 0) -> list[float | None]:
    """Return Holm's step-down adjusted p-values, in the given order; None is no test and is not counted.

    The family has `unknown` further tests whose p-values are not known. With all m tests, p adjusted is the largest
    (m - rank) p of the tests up to it. An unknown p cannot make it larger than p = 1 does: it only raises ranks behind
    it, and its own term is at most that of the next known p, which has its rank or a lower one without it. So unknown
    ones count as 1, and no p is ever smaller than in the whole family.
    """
    order = sorted((p, i) for i, p in enumerate(ps) if p is not None)
    adjusted: list[float | None] = [None] * len(ps)
    highest = 0.0
    for rank, (p, i) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) + unknown - rank) * p))
        adjusted[i] = highest
    return adjusted


def same(difference: Difference, margin: float) -> float | None:
    """Return p of two one-sided tests (Schuirmann 1987): small shows |difference| < margin, in the metric's unit."""
    if not margin > 0:
        raise BenchError(f"margin must be above 0, not {margin}")
    if difference.p is None:
        return None
    room = margin - abs(difference.difference)
    if difference.error > 0:
        return float(stats.t.sf(room / difference.error, difference.df))
    return difference.least if room > 0 else 1.0


def apart(difference: Difference, margin: float) -> float | None:
    """Return the one-sided p that |difference| > margin: the opposite of `same`, so at most one of both is small."""
    if difference.p is None:
        return None
    excess = abs(difference.difference) - margin
    if difference.error > 0:
        return float(stats.t.sf(excess / difference.error, difference.df))
    return difference.least if excess > 0 else 1.0


def from_number(sample: Sample, number: float, kind: str = "both") -> Difference:
    """Return the difference of a sample from one number, which has no uncertainty."""
    values = np.full(np.shape(sample.values), float(number))
    units = sample.units and (np.full(np.shape(sample.units[0]), float(number)), sample.units[1])
    return difference(sample, Sample(values, units), kind)


def needed(difference: Difference, alpha: float = 0.05, power: float = 0.8) -> Needed:
    """Return seeds (at the same examples) or examples (at the same seeds) to add to detect a difference this large.

    Both are 0 if p <= alpha already. Detected means |difference| >= (t_{1-alpha/2} + t_power) standard errors.
    """
    d = difference
    if d.p is None or d.p == 1:
        return Needed(None, None)
    if d.p <= alpha:
        return Needed(0, 0)
    if d.error == 0:
        return Needed(math.ceil(1 - math.log2(alpha)) - d.pairs, None)

    def reached(seeds: int, examples: int) -> bool:
        variance = d.error**2 - d.by_seeds * (1 - d.pairs / seeds)
        variance -= d.by_examples * (1 - d.examples / examples) if examples > d.examples else 0.0
        df = {"seeds": seeds, "examples": examples}.get(d.kind, min(seeds, examples)) - 1
        quantiles = stats.t.isf(alpha / 2, df) + stats.t.isf(1 - power, df)
        return bool(abs(d.difference) >= quantiles * math.sqrt(max(variance, 0.0)))

    return Needed(
        _first(lambda more: reached(d.pairs + more, d.examples)) if d.by_seeds > 0 else None,
        _first(lambda more: reached(d.pairs, d.examples + more)) if d.by_examples > 0 else None,
    )


def _first(enough: Callable[[int], bool]) -> int | None:
    """Return the smallest number from 1 to MOST that is enough, by bisection, as `enough` is monotonic."""
    more = bisect.bisect_left(range(1, MOST + 1), True, key=enough) + 1
    return more if more <= MOST else None


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else math.nan


def _quantile(level: float, df: float) -> float:
    return float(stats.t.isf((1 - level) / 2, df)) if df > 0 else math.nan
