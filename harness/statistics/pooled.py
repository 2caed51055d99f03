"""Statistics of contenders over several problems: pure functions of arrays.

An effect over problems has two sources of doubt: each problem's own standard error, and the spread of the true effects
over problems. `pooled` is a random-effects mean that carries both. Ranks, the interquartile mean and
the probability of improvement describe contenders without the size of a difference, or without its tails.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from harness.statistics.clusters import Array
from harness.statistics.paired import tested

RESAMPLES = 999
"""Draws of a stratified bootstrap: seeds are drawn again within every problem, problems are kept."""
MOST, LARGEST = 500, 20_000
"""Seeds of a problem, and scores in all, up to which the bootstrap is made; with more there is no interval."""
TRIM = 0.25
"""Share that an interquartile mean leaves out at each end."""


@dataclass(frozen=True)
class Pooled:
    """A mean effect over `problems` with its interval, NaN where none exists; `p` is two-sided, None without a test.

    `error` is its standard error, with `problems` - 1 degrees of freedom, `spread` the standard deviation of the true
    effects over problems.
    """

    effect: float
    low: float
    high: float
    p: float | None
    error: float
    spread: float
    problems: int


def pooled(effects: ArrayLike, errors: ArrayLike, level: float = 0.95) -> Pooled:
    """Return the random-effects mean of effects [k] with standard errors [k], in one unit, from independent problems.

    An effect d_i is drawn around the true one of its problem with variance v_i, and that around the mean with variance
    tau^2. The weights are w_i = 1 / (v_i + tau^2), the mean is sum w_i d_i / sum w_i. Since Q = sum w_i (d_i - mean)^2
    has the expectation k - 1 with the true tau^2, Paule and Mandel (1982) choose the tau^2 that makes it so, or 0 where
    Q is smaller already. The variance of the mean is 1 / sum w_i times the factor Q / (k - 1) of Hartung and Knapp
    (2001), which is 1 where tau^2 > 0, and never below 1 (Roever, Knapp and Friede, 2015): the interval is never
    narrower than that of problems with one common effect. It is Student's with k - 1 degrees of freedom, so few
    problems say little about others.

    Where a problem has no error, since its rows are identical or constants, its weight would be infinite. All problems
    weigh alike then, and the test is Student's t of the effects. Effects that are all one number other than 0, without
    errors, have p = 2^(1-k), as that many equal signs.
    """
    d, v = np.asarray(effects, float), np.asarray(errors, float) ** 2
    k = len(d)
    if not v.all():
        spread = float(d.std(ddof=1)) if k > 1 else math.nan
        mean, error = float(d.mean()), spread / math.sqrt(k)
        error = 0.0 if error <= 1e-12 * abs(mean) else error
    else:
        between = _between(d, v)
        mean, weights = _mean(d, v + between)
        error, spread = 1 / math.sqrt(weights), math.sqrt(between)
    p, half = tested(mean, error, k - 1, 2.0 ** (1 - k) if error == 0 else 0.0, level)
    return Pooled(mean, mean - half, mean + half, p, error, spread, k)


def _mean(d: Array, variances: Array) -> tuple[float, float]:
    """Return the weighted mean and the sum of the weights."""
    weights = 1 / variances
    return float((weights * d).sum() / weights.sum()), float(weights.sum())


def _between(d: Array, v: Array) -> float:
    """Return the variance over problems by Paule and Mandel: Q falls in it, from above k - 1 to at most that."""

    def excess(between: float) -> float:
        return float(((d - _mean(d, v + between)[0]) ** 2 / (v + between)).sum()) - (len(d) - 1)

    if len(d) < 2 or excess(0.0) <= 0:
        return 0.0
    most = float(d.var(ddof=1))
    return float(optimize.brentq(excess, 0.0, most * (1 + 1e-9), xtol=1e-14 * most, rtol=1e-12))


def within(found: Pooled, margin: float) -> float:
    """Return p of two one-sided tests (Schuirmann 1987) that the mean over problems is nearer to 0 than `margin`."""
    room = margin - abs(found.effect)
    if not found.problems > 1 or math.isnan(found.error):
        return 1.0
    if found.error > 0:
        return float(stats.t.sf(room / found.error, found.problems - 1))
    return 2.0 ** (1 - found.problems) if room > 0 else 1.0


@dataclass(frozen=True)
class Ranks:
    """Mean ranks over problems, 1 for the best; `p` of Friedman's test, None for fewer than three contenders.

    Mean ranks that differ by less than the `critical_difference` are not told apart by Nemenyi's test.
    """

    means: Array
    p: float | None
    critical_difference: float


def mean_ranks(values: ArrayLike, higher_is_better: bool, level: float = 0.95) -> Ranks:
    """Return the mean ranks of values [problems, contenders]; ties share the mean of their ranks.

    Friedman's test (1937) assumes independent problems, and nothing about the scale of the values. Nemenyi's critical
    difference (1963; Demsar, 2006) is q sqrt(k (k + 1) / (6 n)), with q the quantile of the range of k independent
    standard normals over sqrt 2. Both are asymptotic in the number of problems n. Where all contenders are equal on all
    problems p is 1.
    """
    table = np.asarray(values, float)
    n, k = table.shape
    ranks = stats.rankdata(-table if higher_is_better else table, axis=1)
    p = None
    if k > 2:
        p = float(stats.friedmanchisquare(*ranks.T).pvalue) if np.ptp(ranks) else 1.0
    quantile = float(stats.studentized_range.ppf(level, k, math.inf)) / math.sqrt(2) if k > 1 else math.nan
    return Ranks(ranks.mean(0), p, quantile * math.sqrt(k * (k + 1) / (6 * n)))


@dataclass(frozen=True)
class Bootstrapped:
    """A number over problems and seeds with its interval by the stratified bootstrap.

    The ends are NaN for a single seed, and for so many (MOST) that the bootstrap would need much memory and time.
    """

    value: float
    low: float
    high: float


def interquartile_mean(scores: ArrayLike, level: float = 0.95) -> Bootstrapped:
    """Return the mean of the middle half of scores [problems, seeds] (Agarwal et al., 2021).

    It makes sense only where the scores of all problems are on one scale: accuracies are, times and distances in the
    units of the data are not. The interval is over seeds alone, for these problems.
    """
    table = np.asarray(scores, float)
    value, count = float(stats.trim_mean(table, TRIM, axis=None)), table.shape[1]
    if not 1 < count <= MOST or table.size > LARGEST:
        return Bootstrapped(value, math.nan, math.nan)
    rng, problem = np.random.default_rng(0), np.arange(len(table))[:, None]
    chosen = (rng.integers(count, size=table.shape) for _ in range(RESAMPLES))
    drawn = np.array([stats.trim_mean(table[problem, each], TRIM, axis=None) for each in chosen])
    return Bootstrapped(value, *_limits(drawn, level))


def improvement(
    one: Sequence[ArrayLike], other: Sequence[ArrayLike], higher_is_better: bool, level: float = 0.95
) -> Bootstrapped:
    """Return the probability that a run of one contender is better than a run of the other on the same problem.

    `one` and `other` hold the values of each problem, by the same seeds. A problem's part is the statistic of Mann and
    Whitney (1947) over the number of pairs, with half for ties; the mean is over problems (Agarwal et al., 2021). It
    assumes no scale. Seeds are drawn again for both contenders together, since values of one seed are paired.
    """
    sign = 1 if higher_is_better else -1
    pairs = [(sign * np.asarray(x, float), sign * np.asarray(y, float)) for x, y in zip(one, other, strict=True)]
    value = float(np.mean([_wins(x, y) for x, y in pairs]))
    sizes = [len(x) for x, _ in pairs]
    if not 1 < min(sizes) <= max(sizes) <= MOST:
        return Bootstrapped(value, math.nan, math.nan)
    rng = np.random.default_rng(0)
    drawn = np.mean([_drawn((np.sign(x[:, None] - y[None, :]) + 1) / 2, rng) for x, y in pairs], axis=0)
    return Bootstrapped(value, *_limits(drawn, level))


def _wins(x: Array, y: Array) -> float:
    """Return the share of pairs in which x is larger, with half for ties."""
    order = np.sort(y)
    below = np.searchsorted(order, x, side="left") + np.searchsorted(order, x, side="right")
    return float(below.mean() / (2 * len(y)))


def _drawn(wins: Array, rng: np.random.Generator) -> Array:
    """Return the mean of wins [seeds, seeds] for seeds drawn again, by how often each of them is drawn."""
    size = len(wins)
    counts = rng.multinomial(size, [1 / size] * size, size=RESAMPLES)
    found: Array = ((counts @ wins) * counts).sum(1) / size**2
    return found


def _limits(drawn: Array, level: float) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return low, high
