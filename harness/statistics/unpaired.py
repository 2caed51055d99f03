"""Difference of two samples that are not paired by seed."""

from __future__ import annotations

import math

import numpy as np

from harness.statistics.paired import ROUNDING, Difference, Sample, tested


def unpaired(sample: Sample, baseline: Sample, level: float = 0.95) -> Difference:
    """Return sample minus baseline by Welch's test (1947), over finite values; `pairs` is the smaller count.

    If neither varies, p is 2 / C(n + m, n): the chance that one sample lies entirely above or below the other.
    """
    every = [np.asarray(each.values, float) for each in (sample, baseline)]
    kept = [values[np.isfinite(values)] for values in every]
    n, m = map(len, kept)
    fewer, dropped = min(n, m), sum(map(len, every)) - n - m
    mean = float(kept[0].mean() - kept[1].mean()) if fewer else math.nan
    a, b = (float(values.var(ddof=1)) / len(values) if fewer > 1 else math.nan for values in kept)
    rounding = ROUNDING * float(np.abs(np.concatenate(kept)).max(initial=0.0))
    error = 0.0 if math.sqrt(a + b) <= rounding else math.sqrt(a + b)
    df = (a + b) ** 2 / (a**2 / (n - 1) + b**2 / (m - 1)) if error > 0 else max(fewer - 1, 0)
    least = 2 / math.comb(n + m, n) if error == 0 else 0.0
    p, half = tested(mean, error, df, least, rounding, level)
    return Difference(mean, mean - half, mean + half, p, "seeds", fewer, dropped, 0, error, df, error**2, 0.0, least)
