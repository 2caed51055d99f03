"""Difference of two samples that are not paired by seed."""

from __future__ import annotations

import math

import numpy as np

from harness.statistics.paired import Difference, Sample, rounding_of, tested


def unpaired(sample: Sample, baseline: Sample, level: float = 0.95) -> Difference:
    """Return sample minus baseline by Welch's test (1947), over finite values; `pairs` is the smaller count.

    If neither varies, p is 2 / C(n + m, n): the chance that one sample lies entirely above or below the other; they are
    identical if both are the same constant, to rounding.
    """
    every = [np.asarray(each.values, float) for each in (sample, baseline)]
    kept = [values[np.isfinite(values)] for values in every]
    n, m = map(len, kept)
    fewer, dropped = min(n, m), sum(map(len, every)) - n - m
    mean = float(kept[0].mean() - kept[1].mean()) if fewer else math.nan
    a, b = (float(values.var(ddof=1)) / len(values) if fewer > 1 else math.nan for values in kept)
    rounding = rounding_of(sample, baseline, *kept)
    identical = bool(fewer and np.ptp(np.concatenate(kept)) <= rounding)
    flat = max((float(np.ptp(values)) for values in kept if len(values)), default=0.0) <= rounding
    error = 0.0 if fewer > 1 and flat else math.sqrt(a + b)
    df = (a + b) ** 2 / (a**2 / (n - 1) + b**2 / (m - 1)) if error > 0 else max(fewer - 1, 0)
    if identical:
        p = 1.0 if df > 0 else None
        end = 0.0 if df > 0 else math.nan
        return Difference(0.0, end, end, p, "seeds", fewer, dropped, 0, 0.0, df, 0.0, 0.0, 1.0, identical)
    least = 2 / math.comb(n + m, n) if error == 0 else 0.0
    p, half = tested(mean, error, df, least, level)
    return Difference(mean, mean - half, mean + half, p, "seeds", fewer, dropped, 0, error, df, error**2, 0.0, least)
