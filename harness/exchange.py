"""The plain data that passes between the harness and its plugins: tables, parts of them, jobs, outcomes, values.

Shapes are in brackets. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.ruling import Ruling

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

    from harness.base import Component
    from harness.kinds import Loss, Metric


@dataclass(frozen=True)
class Data:
    """A table of examples as a data set hands it over.

    By `task`: `classes`, inputs [n, d] float32 and targets [n] int64 class numbers from 0; `multilabel`, targets
    [n, classes] float32 in [0, 1]; `grouped`, inputs [n, items, d] and targets [n, items] int64 or [n, items, classes]
    float32. `part` [n] with 0 train, 1 validation, 2 test where the data set fixes the split, else None and every seed
    draws its own. The harness applies `label_noise` (share of training and validation labels replaced by another class,
    or switched) and, for classes, `imbalance` (largest class over smallest class in the training part, classes in
    between on a geometric scale) with the seed's own streams; the test part stays as it is.
    With `standardize` every column is shifted and scaled by the mean and deviation of the seed's own training rows.
    """

    inputs: Tensor
    targets: Tensor
    classes: int
    task: str = "classes"
    part: Tensor | None = None
    label_noise: float = 0.0
    imbalance: float = 1.0
    standardize: bool = False


@dataclass(frozen=True)
class Part:
    """One part of the split for `s` seeds: `index` [s, m] are rows of `table` [n, d], `labels` [s, m] their targets.

    A table of groups is [n, items, d]; targets that are no class numbers have further dimensions, see `Data`.

    `shift` and `scale` [s, d] standardise the columns, one row a seed; None leaves them as they are.
    """

    table: Tensor
    index: Tensor
    labels: Tensor
    shift: Tensor | None = None
    scale: Tensor | None = None

    def rows(self, places: Tensor) -> Tensor:
        """Inputs [s, b, d] of the examples at `places` [s, b] of this part, a row of places for each seed."""
        rows = self.index.gather(1, places)
        examples = self.table.index_select(0, rows.flatten()).view(*rows.shape, *self.table.shape[1:])
        if self.shift is None or self.scale is None:
            return examples
        columns = (len(rows), *[1] * (self.table.ndim - 1), -1)
        return examples.sub_(self.shift.view(columns)).mul_(self.scale.view(columns))

    def labels_at(self, places: Tensor) -> Tensor:
        """Targets [s, b, ...] of the examples at `places` [s, b] of this part."""
        further = self.labels.shape[2:]
        where = places.view(*places.shape, *[1] * len(further)).expand(*places.shape, *further)
        return self.labels.gather(1, where)

    def of(self, k: int) -> Part:
        """The part of the k-th seed alone."""
        shift, scale = (None if t is None else t[k : k + 1] for t in (self.shift, self.scale))
        return Part(self.table, self.index[k : k + 1], self.labels[k : k + 1], shift, scale)

    @property
    def inputs(self) -> Tensor:
        """[m, ..., d], every example of the first seed: all there is in a job of one seed."""
        examples = self.table[self.index[0]]
        return examples if self.shift is None or self.scale is None else (examples - self.shift[0]) * self.scale[0]

    @property
    def targets(self) -> Tensor:
        """[m, ...], the labels of the first seed."""
        return self.labels[0]


@dataclass(frozen=True)
class Job:
    """What a trainer is asked to do: train `loss` on `train` once for every seed in `seeds`.

    `model(k)` builds the untrained network of the k-th seed; `generator(name, k)` is a CPU generator on the named
    stream of that seed, the same for every contender; `lr` [s] is the learning rate of each seed; `settings` are the
    protocol's settings; `folder` survives a resume; `report(done, total)` moves the progress bar.
    """

    loss: Loss
    model: Callable[..., nn.Module]
    train: Part
    validation: Part
    test: Part
    classes: int
    settings: Any
    seeds: Sequence[int]
    lr: Sequence[float]
    generator: Callable[..., Generator]
    device: str
    folder: Path
    report: Callable[..., None]


@dataclass(frozen=True)
class Outcome:
    """What training gave: logits [s, m, ..., classes] on the test and validation parts, or the trainer's own numbers.

    `metrics` maps a name to one number per seed, for trainers that keep their logits to themselves; `learned` maps the
    path of a learned field to its final value per seed.
    """

    test: Tensor | None = None
    validation: Tensor | None = None
    metrics: Mapping[str, Sequence[float]] = field(default_factory=dict)
    learned: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """What a protocol's session is set up with: one cell, its components built, its artifacts loaded.

    `parts` maps a kind to the component of this cell; `build(kind, spec)` builds another; `artifacts` maps a kind to
    what was made for it beforehand; `measure` are the metrics by label; `tune` is the suite's tuning plan or None;
    `folder` is scratch that survives a resume; `report(done, total)` moves the progress bar. In lockstep `baseline` are
    the parts of the row that this one is compared with, its own where there is none.
    """

    parts: Mapping[str, Component]
    build: Callable[[str, Any], Any]
    measure: Mapping[str, Metric]
    tune: Mapping[str, Any] | None
    artifacts: Mapping[str, Any]
    split: str
    device: str
    folder: Path
    report: Callable[..., None]
    baseline: Mapping[str, Component] = field(default_factory=dict)


@dataclass
class Values:
    """What one block measured: `metrics` label -> one number per seed, None where it has nothing to say of this cell.

    `units` holds per-example results where a metric has them: label -> (values [s, m], example numbers [s, m]), or the
    jackknife pseudo-values of a metric that is not a mean over examples, with group numbers. `notes` are lines for the
    report, such as seeds that diverged; `extra` maps a name to one number per seed that no metric claims. `bootstrap`
    maps a label to (low, high), one number per seed each: the 95 % interval of the value within that seed. `exhibit`
    answers what figures show beside numbers, arrays by name: it is asked of seed 0 alone, when the clock has stopped.
    `raw` are the samples that a number was made of, a list for every seed; `unranked` says why this contender takes no
    part in the comparison although it was measured.
    """

    seeds: Sequence[int]
    metrics: dict[str, list[float] | None]
    units: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    extra: dict[str, list[float]] = field(default_factory=dict)
    bootstrap: dict[str, tuple[list[float], list[float]]] = field(default_factory=dict)
    exhibit: Callable[[], Mapping[str, Tensor]] = dict
    raw: dict[str, list[list[float]]] = field(default_factory=dict)
    unranked: str | None = None


class Session:
    """A set-up cell that answers questions in its own process. `width` seeds are measured together as one block.

    With `fresh` every block is measured in a copy of the set-up process, so that what a process happens to be is noise:
    not for processes of several threads, or with a GPU.
    """

    width: int = 1
    fresh: bool = False
    notes: Sequence[str] = ()

    def tune(self) -> Mapping[str, Any]:
        """Choose what the suite asked to tune, once, on seeds of its own; the choice comes back through `measure`."""
        return {}

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Values:
        """The values of one block: `width` seeds that start at a multiple of `width`."""
        raise NotImplementedError

    def rule(self, blocks: Sequence[Sequence[Mapping[str, list[float]]]], spent: float) -> Ruling:
        """In lockstep, whether it is enough: asked of one session, the baseline's where it can be, after every block.

        `blocks` hold the `extra` of every contender, the baseline first; `spent` seconds have passed.
        """
        return Ruling()
