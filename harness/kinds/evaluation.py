"""Kinds that evaluate: metrics, and the protocols that define measurements; and the values exchanged between them.

A protocol sets a cell up from its `CellContext`; the `CellRunner` it returns measures block after block.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from harness.base import Component, Spec
from harness.fields import Json

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from harness.results.statements import Issue, StopReason
    from harness.results.threshold import NearThreshold
    from harness.results.values import ComparedFeatures


class Metric(Component):
    """A number that evaluates a contender. `higher_is_better` is None for one that only describes it.

    `tasks` is as for a loss; `ideal` is the expected value for perfect samples, which controls must reach; `caveat` is
    a line that accompanies the metric in every report, on the limits of its intervals. With `relative_margin`
    contenders are compared by the ratio to the baseline, block by block, and a ratio that differs from 1 by no more
    than this share is no difference in practice; None compares by the difference.

    A metric that does not apply to a cell raises Skip, or returns None where no reason is needed. The text of its
    `warnings.warn` stands in the report. A metric with a value
    for each step of a sampler has a method `curve` with the same inputs: times and values [2, n], for figures, or None.
    One that may take long has a method `estimated_seconds(n, m, width)`: for n samples of so many features against m of
    the reference, None for known moments. What takes long is said before the first seed.
    """

    kind: ClassVar[str] = "metric"
    higher_is_better: ClassVar[bool | None] = True
    unit: ClassVar[str | None] = None
    may_be_fields: ClassVar[Sequence[str]] = ("higher_is_better", "unit")
    tasks: ClassVar[Sequence[str]] = ()
    ideal: ClassVar[float | None] = None
    caveat: ClassVar[str | None] = None
    relative_margin: ClassVar[float | None] = None

    @abstractmethod
    def __call__(self, *args: Any, **inputs: Any) -> object:
        """Numbers for each example [n, ...], or a scalar; it requests the protocol's values by argument name."""


class Protocol(Component):
    """A kind of experiment. Its fields are the settings a suite may write under `settings`.

    `required_kinds` maps each kind a suite varies to its default, None where the suite must name it;
    `compared_kinds` are the kinds that compete, the other axes define the problem; `optional_kinds` are kinds a
    suite may vary and need not; `metric_inputs` are the names a metric may request; `version` increases when the
    same cell would give other numbers. With `interleaved` all contenders of a problem are alive together and take
    turns, one block each, for measurements that depend on the moment, such as time. `references` are the words that
    a suite may write under `reference`: `dataset`, which becomes a component of the cell, and `stats`. `artifacts`
    are the kinds that may need an artifact before any cell starts, in that order, each with the other kinds and the
    settings that go into it.
    """

    kind: ClassVar[str] = "protocol"
    version: ClassVar[int] = 1
    required_kinds: ClassVar[Mapping[str, Spec | None]] = {}
    compared_kinds: ClassVar[Sequence[str]] = ()
    optional_kinds: ClassVar[Sequence[str]] = ()
    metric_inputs: ClassVar[Sequence[str]] = ()
    interleaved: ClassVar[bool] = False
    references: ClassVar[Sequence[str]] = ()
    artifacts: ClassVar[Mapping[str, Sequence[str]]] = {"dataset": (), "denoiser": ()}

    def build_artifact(self, kind: str, context: CellContext) -> Mapping[str, Tensor]:
        """Tensors by name, from the component of a kind and those `artifacts` lists for it; once, for all cells."""
        raise NotImplementedError(f"{self!r} builds no artifact of a {kind}")

    @abstractmethod
    def setup(self, context: CellContext) -> CellRunner:
        """Prepare one cell in its own process."""


class TuningPlan(TypedDict):
    """Tuning plan of a cell: `lr` and `NAME.field` of every trial, a number of seeds, and the label of the metric."""

    trials: list[dict[str, Json]]
    seeds: int
    metric: str


@dataclass(frozen=True)
class CellContext:
    """Input of a protocol for one cell: its components built, its artifacts loaded.

    `components` maps a kind to the component of this cell; `build(kind, spec)` builds another; `artifacts` maps a kind
    to its artifact; `metrics` are the metrics by label; `tune` is the suite's tuning plan or None; `folder` is scratch
    space that survives a resume; `on_progress(done, total)` moves the progress bar. Where cells are interleaved
    `baseline` holds the components of the row that this one is compared with, its own where there is none. `values`
    maps an axis that holds words and numbers to that of this cell. `reference` holds what the suite says of its
    reference beside the data set, which is a component: `stats`, a file, and `range`.
    """

    components: Mapping[str, Component]
    build: Callable[[str, str | Mapping[str, object]], Component]
    metrics: Mapping[str, Metric]
    tune: TuningPlan | None
    artifacts: Mapping[str, Any]
    split: str
    device: str
    folder: Path
    on_progress: Callable[..., None]
    baseline: Mapping[str, Component] = field(default_factory=dict)
    values: Mapping[str, Json] = field(default_factory=dict)
    reference: Mapping[str, Json] = field(default_factory=dict)


@dataclass
class Measurements:
    """Results of one block: `metrics` label -> one number per seed, None where a metric does not apply to this cell.

    `per_example` holds results per example where a metric has them: label -> (values [s, m], example numbers [s, m]),
    or the jackknife pseudo-values of a metric that is not a mean over examples, with group numbers. `skipped`
    maps a label to the reason why that metric does not apply. `notes` are lines about the contender, whatever the
    metric; `issues` are remarks on the whole run, shown once for all rows that have them; `diverged` are the seeds that
    diverged; `on_threshold` maps a label to the share of each seed's examples that lie on the decision threshold, if
    any do, `near_threshold` to the decisions that are near it, of a block too small to tell; `auxiliary` maps a name
    to one number per seed that no metric claims.
    `bootstrap` maps a label to (low, high), one number per seed each: the 95 % interval of the value within that seed.
    `figure_data` returns further data for figures, arrays by name: it is called for seed 0 alone, after the clock has
    stopped. `resolution` maps a label to the change of its value that rounding of the metric's inputs may cause, where
    that is more than a few units in the last place of the value: two contenders that differ by no more than both of
    theirs are identical. `raw_samples` are the samples that a number was computed from, a list for every seed;
    `excluded_reason` is the reason why this contender takes no part in the comparison although it was measured.
    `compared_features` says which features metrics compared, and with what; `overridden` maps settings of libraries'
    parts that have no effect to what is used instead.
    """

    seeds: Sequence[int]
    metrics: dict[str, list[float] | None]
    per_example: dict[str, tuple[Tensor | np.ndarray, Tensor | np.ndarray]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    diverged: list[int] = field(default_factory=list)
    on_threshold: dict[str, list[float]] = field(default_factory=dict)
    near_threshold: dict[str, list[NearThreshold | None]] = field(default_factory=dict)
    auxiliary: dict[str, list[float]] = field(default_factory=dict)
    bootstrap: dict[str, tuple[list[float], list[float]]] = field(default_factory=dict)
    figure_data: Callable[[], Mapping[str, Tensor]] = dict
    resolution: dict[str, float] = field(default_factory=dict)
    raw_samples: dict[str, list[list[float]]] = field(default_factory=dict)
    excluded_reason: str | None = None
    compared_features: ComparedFeatures | None = None
    overridden: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StoppingDecision:
    """Decision of a runner after a block of an interleaved measurement.

    The first `warm` blocks are warm-up and do not count. `stop` is the reason why no more blocks are needed, None where
    they are, with the `bound` that was reached: a budget in seconds, or the half-width of an interval. `issues` weaken
    the result.
    """

    warm: int = 0
    stop: StopReason | None = None
    bound: float | None = None
    issues: Sequence[Issue] = ()


class CellRunner:
    """A set-up cell that measures in its own process. `block_size` seeds are measured together as one block.

    With `fork_per_block` every block is measured in a copy of the set-up process, so that the state of a process is
    part of the noise: not for processes of several threads, or with a GPU. `slow` maps metrics that take long to the
    estimated seconds of a seed.
    """

    block_size: int = 1
    fork_per_block: bool = False
    notes: Sequence[str] = ()
    issues: Sequence[Issue] = ()
    slow: Mapping[str, float] = {}

    def tune(self) -> Mapping[str, object]:
        """Choose the fields that the suite tunes, once, on seeds of its own; the choice is passed to `measure`."""
        return {}

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Measurements:
        """Measurements of one block: `block_size` seeds that start at a multiple of it."""
        raise NotImplementedError

    def should_stop(self, blocks: Sequence[Sequence[Mapping[str, list[float]]]], spent: float) -> StoppingDecision:
        """Decide whether an interleaved measurement is done.

        Called after every block, on the baseline's runner if possible. `blocks` hold the `auxiliary` numbers of every
        contender, the baseline first; `spent` seconds have passed.
        """
        return StoppingDecision()
