"""What the program concludes, as data: states, verdicts, reasons, issues. Only `report/` puts them in words.

A text in here is a name, an id, a path, a unit, or what a plugin or an exception said, never a sentence of the harness.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a row ended."""

    OK = "ok"
    FAILED = "failed"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    OOM = "oom"
    SKIPPED = "skipped"


LOST = frozenset({Status.FAILED, Status.CRASHED, Status.TIMEOUT, Status.OOM})
"""Ends of rows that make a run end with exit code 3."""


class Verdict(StrEnum):
    """What a comparison with the baseline says."""

    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "undecided"
    EQUIVALENT = "equivalent"


class Rank(StrEnum):
    """Where a row stands within its problem; `tied` with the best is not shown to be worse than it."""

    BEST = "best"
    TIED = "tied"
    BEATEN = "beaten"


class IntervalKind(StrEnum):
    """The sources of doubt that an interval carries."""

    BOTH = "both"
    SEEDS = "seeds"
    EXAMPLES = "examples"


class FailOn(StrEnum):
    """What `--fail-on` can name: a condition on a finished run that ends it with exit code 1."""

    REGRESSION = "regression"
    UNDECIDED = "undecided"
    SKIPPED = "skipped"
    NOISY = "noisy"
    ERROR = "error"


class StopReason(StrEnum):
    """Why an interleaved measurement ended."""

    PRECISE = "precise"
    BUDGET = "budget"
    ALL_BLOCKS = "all_blocks"


class Weakness(StrEnum):
    """What makes a timing weak; see `IssueKind.WEAK_TIMING`."""

    CORE_SHARE = "core_share"
    """The process had only the share `value` of its core."""
    LOAD = "load"
    """The load was `value` on `bound` cores."""
    CLOCK = "clock"
    """The clock moved between `value` and `bound` MHz."""
    THROTTLED = "throttled"
    """The processor was throttled."""
    GPU_THROTTLED = "gpu_throttled"
    """Heat or power held the GPU back, at `value` MHz."""


class ReasonKind(StrEnum):
    """Why something is missing, or what must be known about it."""

    # rows
    SAID = "said"
    """`text` says it: an exception, or a plugin that skips."""
    ARTIFACT = "artifact"
    """The artifact `name` could not be made: it ended as `status`, saying `text`."""
    NO_DEVICE = "no_device"
    """The device `name` is not here."""
    EXCLUDED = "excluded"
    """The row is measured and not ranked; `text` is what its protocol says."""
    # numbers
    NOT_FINITE = "not_finite"
    """`count` of `total` seeds have no finite value and are left out."""
    ONE_SEED = "one_seed"
    """One seed, and no results per example: no interval."""
    SPREAD_NOT_FINITE = "spread_not_finite"
    # comparisons
    NO_ROW = "no_row"
    """No row of this problem is `name`."""
    NO_PARTNER = "no_partner"
    """No row is the same but for `name`."""
    BASELINE_ENDED = "baseline_ended"
    """The baseline's row ended as `status`, for the `cause`."""
    BASELINE_EXCLUDED = "baseline_excluded"
    """The baseline's row is not ranked; `text` is what its protocol says."""
    BASELINE_LACKS = "baseline_lacks"
    """The baseline's row has no metric `name`."""
    NO_COMMON_SEED = "no_common_seed"
    ONE_PAIR = "one_pair"
    """One seed says nothing about other seeds."""
    SPREAD_UNKNOWN = "spread_unknown"
    """The same difference at all of only `count` seeds."""
    DROPPED = "dropped"
    """`count` of `total` seeds are left out: not finite in one of the two rows."""
    NEGLIGIBLE = "negligible"
    """The difference is sure, and too small to matter."""
    # gates
    ROW_ENDED = "row_ended"
    """The row ended as `status`, for the `cause`."""
    ROW_LACKS = "row_lacks"
    """The row has no metric `name`."""
    BASELINE_ZERO = "baseline_zero"
    """There are no percentages of a baseline's mean of 0."""
    NOT_REPEATED = "not_repeated"
    """Measured again in fresh processes, the regression was not proven."""
    NOT_CONFIRMED = "not_confirmed"
    """It could not be measured again: the row ended as `status`, for the `cause`."""


@dataclass(frozen=True)
class Reason:
    """Why something is missing: the kind, and what its description in `ReasonKind` names."""

    kind: ReasonKind
    name: str | None = None
    text: str | None = None
    status: Status | None = None
    count: int | None = None
    total: int | None = None
    cause: Reason | None = None


class IssueKind(StrEnum):
    """What a reader of the whole run should keep in mind."""

    TUNING_EDGE = "tuning_edge"
    """Tuning chose the `side` (smallest or largest) rate that was tried, `value`, for `rows`."""
    WEAK_TIMING = "weak_timing"
    """Something made the timing of `rows` weak: `name` is a `Weakness`, which says what `value` and `bound` are."""
    NOISY_MACHINE = "noisy_machine"
    """The doctor's run tells equal functions apart in the share `value` of pairs, more than `bound`."""
    UNKNOWN_MACHINE = "unknown_machine"
    """No doctor's run tells what this machine's timings are worth."""
    CONTROL_OFF = "control_off"
    """The control `rows` has `value` in `metric` on `problem`, where a perfect sampler has `bound`, adjusted `p`."""
    NOT_FINITE = "not_finite"
    """`count` of `total` seeds of `rows` have no finite `metric`."""
    ONE_SEED = "one_seed"
    """One seed: no verdict."""
    FEW_SEEDS = "few_seeds"
    """`count` seeds: only large differences can be told apart."""
    # between two runs
    CHANGED = "changed"
    """`name` was `before` and is `after`."""
    OTHER_CODE = "other_code"
    """`rows` were measured by other code, or with other parameters or settings."""
    SAME_NUMBERS = "same_numbers"
    """`rows` have the same numbers in both runs."""
    TIMES_OF_TWO_RUNS = "times_of_two_runs"
    """Times of two runs show a trend and prove nothing: `metric`."""
    ONLY_IN_ONE = "only_in_one"
    """`rows` are only in the run that `side` names: before or after."""
    METRIC_IN_ONE = "metric_in_one"
    """`metric` was measured only in the run that `side` names."""


@dataclass(frozen=True)
class Issue:
    """Something to keep in mind: the kind, and what its description in `IssueKind` names."""

    kind: IssueKind
    rows: tuple[str, ...] = ()
    metric: str | None = None
    problem: str | None = None
    name: str | None = None
    side: str | None = None
    before: str | None = None
    after: str | None = None
    value: float | None = None
    bound: float | None = None
    p: float | None = None
    count: int | None = None
    total: int | None = None


class StatementKind(StrEnum):
    """What a statement says of its row: its verdict or rank, what became of a claimed order, or how it ended."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"
    NO_VERDICT = "no_verdict"
    """It was to be compared, and could not be."""
    BEST = "best"
    TIED = "tied"
    BEATEN = "beaten"
    HOLDS = "holds"
    """It is better than `other`, as claimed."""
    FAILS = "fails"
    """It is worse than `other`, against what is claimed."""
    OPEN = "open"
    """Nothing tells it from `other`, which it is claimed to be ahead of."""
    FAILED = "failed"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    OOM = "oom"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Statement:
    """One thing the answer says: what was found (`kind`), of which row, in which metric, on which problem.

    `row` and `other`, what it was compared with, are the names of rows, `problem` the labels that tell problems apart.
    """

    kind: StatementKind
    row: str
    metric: str
    problem: dict[str, str | int | float | bool | None]
    other: str | None = None
