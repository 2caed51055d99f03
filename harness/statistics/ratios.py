"""Ratios of positive numbers measured block by block, for comparisons of times. Pure functions of arrays.

A block is the unit: its contenders are disturbed alike and run in random order, so that between equal
contenders the logarithm of a block's ratio is as likely above 0 as below. Its sign-flip test is exact for any noise;
outliers are kept, and a trimmed mean limits their influence.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from harness.statistics.clusters import Array
from harness.statistics.paired import ROUNDING, Difference, Interval, Sample

TRIM = 0.2
"""Share that a trimmed mean leaves out at each end (Wilcox, 2012)."""
FLIPS, RESAMPLES = 9_999, 1_999
FAR = 3.0
"""Interquartile ranges beyond the quartiles from which a block is an outlier (Tukey, 1977: far out)."""


def interval(sample: Sample, level: float = 0.95) -> Interval:
    """Return the typical value, exp of the trimmed mean of the logarithms, with its bootstrap interval."""
    logs = _logs(sample)
    center, low, high = _located(logs[np.isfinite(logs)], level)
    return Interval(math.exp(center), math.exp(low), math.exp(high), "seeds")


def difference(sample: Sample, baseline: Sample, level: float = 0.95) -> Difference:
    """Return sample over baseline, less 1, in units of the baseline's typical value: 0.1 of it for a ratio of 1.1.

    Blocks are paired; one in which either value is not finite and above 0 is left out. The test is by sign flips: p is
    never below 2^(1-n) for n blocks, and None for fewer than two. Two whose ratio is 1 to rounding in every block are
    identical.
    """
    ratios = _logs(sample) - _logs(baseline)
    keep = np.isfinite(ratios)
    x, n = ratios[keep], int(keep.sum())
    identical = bool(n and np.abs(x).max() <= ROUNDING)
    x = np.zeros_like(x) if identical else x
    unit = interval(baseline).mean
    center, low, high = (unit * math.expm1(log) for log in _located(x, level))
    p = (1.0 if identical else _p(x)) if n > 1 else None
    error, least = unit * _error(x), 2.0 ** (1 - n)
    return Difference(center, low, high, p, "seeds", n, len(keep) - n, 0, error, n - 1, error**2, 0.0, least, identical)


def unpaired(sample: Sample, baseline: Sample, level: float = 0.95) -> Difference:
    """Return the same for values not paired by block: Yuen's test (1974) of the trimmed means of their logarithms.

    p is None if one of the two has fewer than two values, or neither varies.
    """
    logs = [_logs(each) for each in (sample, baseline)]
    x, y = (each[np.isfinite(each)] for each in logs)
    n, dropped = min(len(x), len(y)), sum(map(len, logs)) - len(x) - len(y)
    unit = interval(baseline).mean
    center = unit * math.expm1(_center(x) - _center(y)) if n else math.nan
    if n < 2 or not (np.ptp(x) or np.ptp(y)):
        return Difference(center, math.nan, math.nan, None, "seeds", n, dropped, 0, math.nan, 0, math.nan, 0.0, 0.0)
    found = stats.ttest_ind(x, y, equal_var=False, trim=TRIM)
    ends = found.confidence_interval(level)
    low, high = sorted(unit * math.expm1(end) for end in (ends.low, ends.high))
    error, df = unit * math.hypot(_error(x), _error(y)), float(found.df)
    return Difference(center, low, high, float(found.pvalue), "seeds", n, dropped, 0, error, df, error**2, 0.0, 0.0)


class Spread(NamedTuple):
    """Quartiles of values, None if no value is finite, and the places of outliers."""

    quartiles: tuple[float, ...]
    outliers: tuple[int, ...]


def spread(values: ArrayLike) -> Spread:
    """Return the quartiles and the places of outliers, which are reported and not dropped."""
    numbers = np.asarray(values, float)
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return Spread((), ())
    first, middle, third = np.quantile(finite, [0.25, 0.5, 0.75]).tolist()
    away = FAR * (third - first)
    far = np.flatnonzero((numbers < first - away) | (numbers > third + away))
    return Spread((first, middle, third), tuple(far.tolist()))


def _logs(sample: Sample) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        logs: Array = np.log(np.asarray(sample.values, float))
    return logs


def _center(x: Array, axis: int = -1) -> Array:
    found: Array = stats.trim_mean(x, TRIM, axis=axis)
    return found


def _located(x: Array, level: float) -> tuple[float, float, float]:
    """Return (center, low, high) of logarithms; NaN limits for fewer than two, the point if they do not vary."""
    if not len(x):
        return math.nan, math.nan, math.nan
    center = float(_center(x))
    if len(x) < 2 or not np.ptp(x):
        return (center, math.nan, math.nan) if len(x) < 2 else (center, center, center)
    draws = np.random.default_rng(0)
    found = stats.bootstrap((x,), _center, n_resamples=RESAMPLES, confidence_level=level, method="percentile",
                            random_state=draws)  # fmt: skip
    return center, float(found.confidence_interval.low), float(found.confidence_interval.high)


def as_ratio(found: Difference, baseline: Sample) -> tuple[float, float, float]:
    """Return the ratio itself and the ends of its interval."""
    unit = interval(baseline).mean
    return 1 + found.difference / unit, 1 + found.low / unit, 1 + found.high / unit


def as_log(found: Difference, baseline: Sample) -> tuple[float, float]:
    """Return the logarithm of the ratio and its standard error."""
    unit = interval(baseline).mean
    return math.log1p(found.difference / unit), found.error / unit


def _p(x: Array) -> float:
    draws = np.random.default_rng(0)
    found = stats.permutation_test((x,), _center, permutation_type="samples", n_resamples=FLIPS, vectorized=True,
                                   random_state=draws)  # fmt: skip
    return float(found.pvalue)


def _error(x: Array) -> float:
    """Return the standard error of the trimmed mean (Yuen, 1974)."""
    if len(x) < 2:
        return math.nan
    cut = int(TRIM * len(x))
    inner = np.sort(x)
    winsorized = np.clip(x, inner[cut], inner[len(x) - cut - 1])
    return float(winsorized.std(ddof=1) / ((1 - 2 * TRIM) * math.sqrt(len(x))))
