"""Small parts of a result: labels, values as records store them, intervals, ratios, blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from harness.results.statements import StopReason, Verdict

Label = str | int | float | bool | None
"""Name of a point of an axis."""
Labels = Mapping[str, Label]
"""Axis -> label: the place of a row in the grid."""
Number = float | Literal["inf", "-inf"] | None
"""A measured number as records store it, since JSON has no infinity; None for NaN. See `codec.stored`."""


@dataclass(frozen=True)
class Bootstrap:
    """Ends of the interval within each seed, in the order of the seeds."""

    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True)
class Needed:
    """Number of further seeds, or of further test examples, that would decide; None if no number does."""

    seeds: int | None
    examples: int | None


@dataclass(frozen=True)
class Ratio:
    """Ratio to the baseline with its interval."""

    ratio: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Bounded:
    """A number with the ends of its interval, None without one."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """A contender's mean difference from its baseline over several problems, in the metric's unit.

    Its interval carries the doubt of each problem and the spread over problems; `p` is two-sided, `p_holm` adjusted for
    all contenders. It is over `problems`, on `better` and `worse` of which the verdict says so. A metric that is
    compared by ratio has the `ratio` and no difference.
    """

    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    problems: int
    better: int
    worse: int
    verdict: Verdict | None
    spread: float | None
    """Standard deviation of the true differences over problems; of their logarithms for a ratio."""
    ratio: Ratio | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A contender over all problems in one metric. What needs a common scale or a baseline is None without it."""

    row: str
    baseline: str | None = None
    pooled: Pooled | None = None
    mean_rank: float | None = None
    """Mean over problems of its rank among the contenders with a value on all of them, 1 for the best."""
    interquartile_mean: Bounded | None = None
    """Mean of the middle half of all values, over problems and seeds."""
    improvement: Bounded | None = None
    """Probability that a run is better than one of the baseline on the same problem, as a mean over problems."""


@dataclass(frozen=True, kw_only=True)
class Overall:
    """Contenders over all `problems` in one metric: the first, and those that the question asks for.

    Mean ranks that differ by less than the `critical_difference` are not told apart by Nemenyi's test.
    """

    metric: str
    problems: int
    standings: tuple[Standing, ...]
    friedman_p: float | None = None
    """p of Friedman's test that all contenders rank alike; None for fewer than three."""
    critical_difference: float | None = None


@dataclass(frozen=True, kw_only=True)
class Looks:
    """Looks at a test set in one metric: the variants ever measured on it, by the records of the results folder.

    `test_set` is the digest that its rows have too. `own` counts those of the `variants` that are contenders of the
    suite. `fixed` says that the suite had exactly these contenders when the test set was first looked at.
    """

    test_set: str
    metric: str
    variants: int
    own: int
    fixed: bool

    @property
    def others(self) -> int:
        """The variants that are not of the suite."""
        return self.variants - self.own

    @property
    def confirmatory(self) -> bool:
        """Whether all that was ever measured on the test set was fixed before the first look."""
        return self.fixed and not self.others


@dataclass(frozen=True)
class Shard:
    """A part of a suite's cells, for one of several machines: its `number`, from 1 to `of`; it has `cells` of `total`.

    `plan` is the digest of the identities of all these cells: shards with another are no parts of the same whole.
    """

    number: int
    of: int
    cells: int
    total: int
    plan: str


@dataclass(frozen=True)
class Blocks:
    """Course of an interleaved measurement: blocks that count, warm-up blocks before them, and the reason for its end.

    `bound` is the budget in seconds, or the half-width reached by every ratio, if the measurement ended for that.
    """

    count: int
    warm: int
    stop: StopReason
    bound: float | None = None


class ReferenceKind(StrEnum):
    """Kind of reference that features of samples were compared with."""

    DATASET = "dataset"
    """The data set `name`."""
    STATS = "stats"
    """The mean and covariance in the file `name`, of an unknown number of samples, whose bias stays in a distance."""
    DATA = "data"
    """Real data of the denoiser."""
    TARGET = "target"
    """A target that is known exactly, or draws from it."""


@dataclass(frozen=True)
class ComparedFeatures:
    """Identity of a distance between features, such as FID: how they were computed, and from what.

    `feature` is the extractor with its fields, `digest` that of its code and files, `width` the number of features of a
    sample; `samples` were compared with a `reference` of `size` samples, None where that is not known. `rounding` and
    `resize` are what the extractor does to pictures first; None for nothing.
    """

    feature: str
    width: int
    samples: int
    reference: ReferenceKind
    name: str | None = None
    size: int | None = None
    rounding: str | None = None
    resize: str | None = None
    digest: str | None = None
