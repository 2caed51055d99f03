"""A finished run as typed values: the question, the measurements of every row, the comparisons.

Attributes are the keys of the result JSON. A number that is not finite is None, with a reason beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.fields import Json
from harness.results.claims import Asked, Claim
from harness.results.statements import (
    IntervalKind,
    Issue,
    Rank,
    Reason,
    ReasonKind,
    Statement,
    Status,
    Verdict,
)
from harness.results.values import Blocks, Bootstrap, ComparedFeatures, Label, Looks, Needed, Overall, Ratio, Shard

SCHEMA = 2


@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """Facts of a metric that a report needs beside its values; see `harness.Metric` for the fields."""

    label: str
    higher_is_better: bool | None
    unit: str | None = None
    ideal: float | None = None
    caveat: str | None = None
    relative_margin: float | None = None
    definition: str | None = None
    """The docstring of its code; None for a metric of an imported table."""


@dataclass(frozen=True, kw_only=True)
class MetricValue:
    """A metric of a row: one value per seed, their mean and its interval; `why` is the reason for missing parts.

    `infinite` has the sign of each value, 1 or -1, that is infinite, and 0 for the others; None where none is. Such
    values and a mean over them are None, as JSON has no infinity. A metric that is compared by ratio also has the
    `quartiles` of the values and the places of `outliers`. `resolution` is the change of a value that rounding of the
    metric's inputs may cause, where it was measured.
    """

    values: tuple[float | None, ...]
    mean: float | None
    low: float | None
    high: float | None
    interval: IntervalKind
    higher_is_better: bool | None
    unit: str | None
    why: Reason | None = None
    bootstrap: Bootstrap | None = None
    quartiles: tuple[float, ...] | None = None
    outliers: tuple[int, ...] | None = None
    resolution: float | None = None
    infinite: tuple[int, ...] | None = None

    @property
    def numbers(self) -> tuple[float | None, ...]:
        """The values with infinity as a number; None for NaN."""
        signs = self.infinite or (0,) * len(self.values)
        return tuple(sign * math.inf if sign else value for value, sign in zip(self.values, signs, strict=True))

    @property
    def average(self) -> float | None:
        """The mean, which is infinite if any value is; None for infinite values of both signs, and without values."""
        signs = {*(self.infinite or ())} - {0}
        return self.mean if not signs else signs.pop() * math.inf if len(signs) == 1 else None

    @property
    def partial(self) -> bool:
        """Whether the mean is over fewer seeds than asked for, since the others have no value, or are not there."""
        return self.why is not None and self.why.kind in (ReasonKind.NOT_FINITE, ReasonKind.FEWER)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Comparison of a row with its baseline in one metric.

    `difference` is the row minus its baseline, in the metric's unit; `p` is two-sided, `p_holm` adjusted for a `family`
    of comparisons; `p_looks` for that family and every further variant that has seen the test set, None where there is
    none. `verdict` is None if there can be none, and `why` is the reason, or a remark. Identical rows have
    the difference 0 and no p: there is nothing to test.
    """

    baseline: str
    difference: float | None
    low: float | None
    high: float | None
    interval: IntervalKind | None
    p: float | None
    p_holm: float | None
    family: int
    verdict: Verdict | None
    needed: Needed
    why: Reason | None = None
    ratio: Ratio | None = None
    p_looks: float | None = None

    @property
    def partial(self) -> bool:
        """Whether the difference is over fewer seeds than asked for, since the others have no value in one row."""
        return self.difference is not None and self.why is not None and self.why.kind is ReasonKind.DROPPED


@dataclass(frozen=True, kw_only=True)
class RowInfo:
    """One point of the grid: its components, status and cost, without measurements.

    `parameters` are the components by kind, as data; `settings` the protocol's; `tuned` the result of tuning.
    """

    id: str
    vary: dict[str, Label]
    parameters: Mapping[str, Json] = field(default_factory=dict)
    settings: dict[str, Json] = field(default_factory=dict)
    tuned: dict[str, Json] = field(default_factory=dict)
    status: Status = Status.OK
    why: Reason | None = None
    seconds: float | None = None
    peak_memory: int | None = None
    seeds: tuple[int, ...] = ()
    blocks: Blocks | None = None
    changed: tuple[str, ...] = ()
    """Names of what has changed since the row was measured before: why it was measured again."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Reasons why metrics do not apply, by label."""
    notes: tuple[str, ...] = ()
    """Remarks of the protocol and its components on the row, for all metrics."""
    diverged: tuple[int, ...] | None = None
    """Seeds whose training diverged, a logit is NaN or +inf; None where none did."""
    on_threshold: dict[str, float] | None = None
    """Change of a metric that examples on the decision threshold can make, over all seeds; None where none is there."""
    tied_places: float | None = None
    """Share of neighbor places for which several points were equally near, over all seeds; None where none is."""
    used: dict[str, float] | None = None
    """Amount used of settings that are budgets, over all seeds: `nfe`, network evaluations of a sample; `epochs`, those
    that early stopping kept."""
    learned: dict[str, float] | None = None
    """Values of learned fields at the end of training, by their path, as means over all seeds; None for none."""
    derivative_passes: float | None = None
    """Samples for each sample drawn that derivatives passed through the network; None for none."""
    compared_features: ComparedFeatures | None = None
    """Features that metrics compared, and their reference; None where no metric asked for features."""
    overridden: dict[str, str] | None = None
    """Settings of libraries' parts that have no effect, `KIND.NAME`, and what is used instead; None for none."""
    test_set: str | None = None
    """Digest of the data set with its fields, contents and split; None without a data set."""


@dataclass(frozen=True, kw_only=True)
class Row(RowInfo):
    """A row with its statistics: metrics by label, comparisons with the baseline, ranks within the problem."""

    metrics: dict[str, MetricValue] = field(default_factory=dict)
    against: dict[str, Comparison] = field(default_factory=dict)
    best: dict[str, Rank] = field(default_factory=dict)

    @property
    def excluded(self) -> bool:
        """Whether the row was measured and takes no part in comparisons."""
        return self.why is not None and self.why.kind is ReasonKind.EXCLUDED


@dataclass(frozen=True, kw_only=True)
class GateRule:
    """A bound on a metric that fails the run if broken; `relative` means a share of the baseline's mean."""

    metric: str
    rule: str
    bound: float
    relative: bool = False
    confirm_runs: int = 0


@dataclass(frozen=True, kw_only=True)
class Gate(GateRule):
    """A gate on one row: the value compared with the bound, and whether the bound is kept (None: undecided).

    `value` is the row's mean, or how much worse than its baseline it is; `confirmed` counts fresh measurements that
    agree.
    """

    cell: str
    vary: dict[str, Label]
    baseline: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    passed: bool | None = None
    why: Reason | None = None
    confirmed: int = 0


@dataclass(frozen=True, kw_only=True)
class Published:
    """A number from a paper, shown beside the measurements and never tested against them."""

    source: str
    metric: str
    value: float
    vary: dict[str, Label]
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunInfo:
    """The question of a run and its environment; `run` is its id.

    `axes` hold the labels of every axis in order; `contenders` are the axes whose points compete, unless `group_by`
    names the others; `controls` are (kind, name) of components that are controls; `replicates` is the unit of a value:
    seeds, or blocks. `references` maps every component used, as `kind name`, to its BibTeX, empty where it has none.
    """

    suite: str
    question: str
    run: str
    protocol: str
    protocol_version: int | None = None
    environment: dict[str, Json] = field(default_factory=dict)
    metrics: tuple[MetricInfo, ...] = ()
    axes: dict[str, list[Label]] = field(default_factory=dict)
    contenders: tuple[str, ...] = ()
    group_by: tuple[str, ...] | None = None
    baseline: str | dict[str, Label] | None = None
    margin: float | dict[str, float] | None = None
    interval: str = "both"
    controls: tuple[tuple[str, str], ...] = ()
    replicates: str = "seeds"
    references: dict[str, str] = field(default_factory=dict)
    shard: Shard | None = None
    """The part of the suite's cells that the run has, where it is one of several shards."""

    def metric(self, label: str) -> MetricInfo:
        """Return the metric of that label."""
        return next(metric for metric in self.metrics if metric.label == label)

    @property
    def primary(self) -> MetricInfo:
        """The first metric, which carries the answer."""
        return self.metrics[0]


@dataclass(frozen=True, kw_only=True)
class Run(RunInfo):
    """A finished run. `seconds` is its duration; `statements` are the content of the answer."""

    schema: int = SCHEMA
    exit: int = 0
    seconds: float | None = None
    cells: tuple[Row, ...] = ()
    gates: tuple[Gate, ...] = ()
    answers: tuple[Asked, ...] = ()
    """Answers to the parts of the question that name a metric."""
    claims: tuple[Claim, ...] = ()
    published: tuple[Published, ...] = ()
    statements: tuple[Statement, ...] = ()
    notices: tuple[Issue, ...] = ()
    """Remarks on the whole run; the result JSON has the same in words under `issues`."""
    looks: tuple[Looks, ...] = ()
    """Looks at the test sets of the rows, by metric, when the run ended."""
    overall: tuple[Overall, ...] = ()
    """Contenders over all problems, by metric, where several problems are compared with a baseline."""
