"""Conclusions as data: states, verdicts, reasons, issues. Only `report/` puts them in words.

A text in here is a name, an id, a path, a unit, or a message of a plugin or an exception, never of the harness.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Status of a row at its end."""

    OK = "ok"
    FAILED = "failed"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    OOM = "oom"
    SKIPPED = "skipped"


LOST = frozenset({Status.FAILED, Status.CRASHED, Status.TIMEOUT, Status.OOM})
"""Statuses of rows with which a run ends with exit code 3."""


class Verdict(StrEnum):
    """Verdict of a comparison with the baseline."""

    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "undecided"
    EQUIVALENT = "equivalent"
    IDENTICAL = "identical"
    """Every pair of values is equal, or differs by rounding alone."""


class Rank(StrEnum):
    """Position of a row within its problem; `tied` is not significantly worse than the best."""

    BEST = "best"
    TIED = "tied"
    BEATEN = "beaten"


class IntervalKind(StrEnum):
    """Sources of variation that an interval includes."""

    BOTH = "both"
    SEEDS = "seeds"
    EXAMPLES = "examples"


class FailOn(StrEnum):
    """Condition of `--fail-on` on a finished run, which ends it with exit code 1."""

    REGRESSION = "regression"
    UNDECIDED = "undecided"
    SKIPPED = "skipped"
    NOISY = "noisy"
    ERROR = "error"


class StopReason(StrEnum):
    """Reason for the end of an interleaved measurement."""

    PRECISE = "precise"
    BUDGET = "budget"
    ALL_BLOCKS = "all_blocks"


class Weakness(StrEnum):
    """Reason why a timing is unreliable; see `IssueKind.WEAK_TIMING`."""

    CORE_SHARE = "core_share"
    """The process had only the share `value` of its core."""
    LOAD = "load"
    """The load was `value` on `bound` cores."""
    CLOCK = "clock"
    """The clock moved between `value` and `bound` MHz."""
    THROTTLED = "throttled"
    """The processor was throttled."""
    GPU_THROTTLED = "gpu_throttled"
    """Heat or power limited the GPU's clock, to `value` MHz."""


class ReasonKind(StrEnum):
    """Reason why a result is missing, or a remark about it."""

    # rows
    SAID = "said"
    """`text` is the reason, from an exception or a plugin that skips."""
    ARTIFACT = "artifact"
    """The artifact `name` could not be made: it ended as `status`, with the message `text`."""
    NO_DEVICE = "no_device"
    """The device `name` is not available."""
    EXCLUDED = "excluded"
    """The row is measured and not ranked; `text` is the protocol's reason."""
    # numbers
    NOT_FINITE = "not_finite"
    """`count` of `total` seeds have no value and are left out."""
    FEWER = "fewer"
    """`count` of `total` seeds are not there, which other rows of the problem have."""
    INFINITE = "infinite"
    """`count` of `total` seeds have no finite value, some of them an infinite one, and so has the mean."""
    BOTH_SIGNS = "both_signs"
    """`count` of `total` seeds have no finite value, infinities of both signs among them: there is no mean."""
    ONE_SEED = "one_seed"
    """One seed, and no results per example: no interval."""
    SPREAD_NOT_FINITE = "spread_not_finite"
    # comparisons
    NO_ROW = "no_row"
    """No row of this problem is `name`."""
    NO_PARTNER = "no_partner"
    """No row differs only in `name`."""
    BASELINE_ENDED = "baseline_ended"
    """The baseline's row ended as `status`, for the `cause`."""
    BASELINE_EXCLUDED = "baseline_excluded"
    """The baseline's row is not ranked; `text` is the protocol's reason."""
    BASELINE_LACKS = "baseline_lacks"
    """The baseline's row has no metric `name`."""
    NO_COMMON_SEED = "no_common_seed"
    ONE_PAIR = "one_pair"
    """One seed says nothing about other seeds."""
    SPREAD_UNKNOWN = "spread_unknown"
    """The difference is the same at all seeds, of which there are only `count`."""
    DROPPED = "dropped"
    """`count` of `total` seeds are left out: one of the two rows has no value there."""
    CONTROL = "control"
    """The row is a control: it stands beside the contenders, and is not tested against the baseline."""
    LEFT_OUT = "left_out"
    """The row, or its baseline's, was not selected, and nothing is stored of it."""
    INFINITE_IN_ONE = "infinite_in_one"
    """`count` of `total` seeds are infinite in one of the two rows: the mean difference is no number."""
    ON_THRESHOLD = "on_threshold"
    """Examples on the decision threshold of one of the two rows can explain the difference."""
    NEGLIGIBLE = "negligible"
    """The difference is significant, and too small to matter."""
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
    """Reason why a result is missing: the kind, and the values that its description in `ReasonKind` names."""

    kind: ReasonKind
    name: str | None = None
    text: str | None = None
    status: Status | None = None
    count: int | None = None
    total: int | None = None
    cause: Reason | None = None


class IssueKind(StrEnum):
    """Kind of remark on the whole run."""

    TUNING_EDGE = "tuning_edge"
    """Tuning chose the `side` (smallest or largest) number tried of the field `name`, `value`, for `rows`."""
    NO_BETTER_THAN_MAJORITY = "no_better_than_majority"
    """The accuracy of `rows` is `value`; the most frequent class alone has `bound`."""
    FEW_TEST_EXAMPLES = "few_test_examples"
    """The test part of `rows` has `count` examples of `total` classes."""
    USELESS_DENOISER = "useless_denoiser"
    """The data predicted by `name` have the mean squared error `value`; the mean of the data has `bound`."""
    ONE_VALUE = "one_value"
    """Every seed of `rows`, all rows of a problem, has the same `metric`, `value`."""
    SAME_SEEDS = "same_seeds"
    """Every seed of each of `rows` has the same `metric`, while other rows have others."""
    WEAK_TIMING = "weak_timing"
    """The timing of `rows` is unreliable: `name` is a `Weakness`, which defines `value` and `bound`."""
    NOISY_MACHINE = "noisy_machine"
    """In the doctor's run equal functions differ in the share `value` of pairs, more than `bound`."""
    UNKNOWN_MACHINE = "unknown_machine"
    """`bench doctor` has not examined the timings of this machine."""
    CONTROL_OFF = "control_off"
    """The control `rows` has `value` in `metric` on `problem`, where a perfect sampler has `bound`, adjusted `p`."""
    NOT_FINITE = "not_finite"
    """`count` of `total` seeds of `rows` have no `metric`."""
    INFINITE = "infinite"
    """`count` of `total` seeds of `rows` have an infinite `metric`."""
    BOTH_SIGNS = "both_signs"
    """`count` of `total` seeds of `rows` have an infinite `metric`, of both signs."""
    ONE_SEED = "one_seed"
    """One seed: no verdict."""
    FEW_SEEDS = "few_seeds"
    """`count` seeds: only large differences can be detected."""
    SAME_ROWS = "same_rows"
    """`rows` are identical to the row `name` in every metric: they are one row in the corrections."""
    LEFT_OUT = "left_out"
    """`count` of `total` rows, or problems as `name` says, were not selected; there are `value` comparisons in all.

    Of these comparisons `bound` are of rows of which nothing is stored.
    """
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
    NO_PARTNER = "no_partner"
    """`rows` of the run `name` have no partner in the run `before`, and are left out."""
    METRIC_IN_ONE = "metric_in_one"
    """`metric` was measured only in the run that `side` names."""


@dataclass(frozen=True)
class Issue:
    """A remark on the whole run: the kind, and the values that its description in `IssueKind` names."""

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
    """Content of a statement on its row: its verdict or rank, the result of a claimed order, or its status."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    IDENTICAL = "identical"
    UNDECIDED = "undecided"
    NO_VERDICT = "no_verdict"
    """The row was to be compared, and could not be."""
    BEST = "best"
    TIED = "tied"
    BEATEN = "beaten"
    HOLDS = "holds"
    """The row is better than `other`, as claimed."""
    FAILS = "fails"
    """The row is worse than `other`, against the claim."""
    SAME = "same"
    """The row is identical to `other`, which it is claimed to be ahead of."""
    OPEN = "open"
    """The row does not differ significantly from `other`, which it is claimed to be ahead of."""
    FAILED = "failed"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    OOM = "oom"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Statement:
    """One statement of the answer: the result (`kind`), the row, the metric, the problem.

    `row` and `other`, the row compared with, are names of rows, `problem` the labels that distinguish problems.
    """

    kind: StatementKind
    row: str
    metric: str
    problem: dict[str, str | int | float | bool | None]
    other: str | None = None
