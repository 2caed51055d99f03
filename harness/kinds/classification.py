"""Kinds that train classifiers, and the values they exchange. Losses are in nats; shapes in brackets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from harness.base import Component
from harness.kinds.programs import Job

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

LOSS_INPUTS: Mapping[str, str] = MappingProxyType(
    {
        "progress": "share of the training that is done, from 0 to 1",
        "step": "number of the step, from 0",
        "epoch": "number of the epoch, from 0",
        "generator": "torch.Generator of the block and step, the same for every contender",
        "index": "numbers of the examples in the training table [batch], int64",
        "features": "input of the last layer with parameters [batch, d]",
        "class_counts": "training examples of each class [classes]",
        "state": "running state, of `with_state` alone",
    }
)
"""Inputs that a loss may request by argument name, besides its first two arguments, with their meaning."""


@dataclass(frozen=True)
class Examples:
    """A table of examples, as returned by a data set.

    By `task`: `classes`, inputs [n, ...] float32 and targets [n] int64 class numbers from 0; `multilabel`, targets
    [n, classes] float32 in [0, 1]; `grouped`, inputs [n, items, ...] and targets [n, items] int64 or
    [n, items, classes] float32. `...` is the shape of one input of a model: d columns, or an image [3, h, w]. `part`
    [n] is 0 for training, 1 for validation and 2 for test where the data set fixes the split; else it is None and
    every seed draws its own.

    The harness applies `label_noise` (share of training and validation labels replaced by another class, or flipped)
    and, for classes, `imbalance` (size of the largest class over that of the smallest in the training part, classes in
    between on a geometric scale) with the seed's own streams; the test part is unchanged. With `missing` a NaN among
    the inputs is a missing value, replaced by the mean of its column in the seed's own training rows. With
    `standardize` every column is then shifted and scaled by its mean and deviation there; one that is constant there
    becomes 0 everywhere, since nothing is learned of it. A column is one number of an input; of inputs with three
    dimensions or more, images and volumes [channels, ...], it is a channel. The report shows `notes` with every row.
    """

    inputs: Tensor
    targets: Tensor
    classes: int
    task: str = "classes"
    part: Tensor | None = None
    label_noise: float = 0.0
    imbalance: float = 1.0
    standardize: bool = False
    missing: bool = False
    notes: tuple[str, ...] = ()

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input of a model: of an example, or of an item of a group."""
        return tuple(self.inputs.shape[2 if self.task == "grouped" else 1 :])


@dataclass(frozen=True)
class Subset:
    """One part of the split for `s` seeds: `index` [s, m] are rows of `table` [n, ...], `labels` [s, m] their targets.

    A table of groups is [n, items, ...]; targets that are no class numbers have further dimensions, see `Examples`.
    `fill` replaces the NaN of each column, then `shift` and `scale` standardize the columns; they are [s, ...] with a
    number for every column, or channel, of an input, one row per seed. None leaves the inputs unchanged.
    """

    table: Tensor
    index: Tensor
    labels: Tensor
    shift: Tensor | None = None
    scale: Tensor | None = None
    fill: Tensor | None = None

    def inputs_at(self, places: Tensor) -> Tensor:
        """Inputs [s, b, ...] of the examples at `places` [s, b] of this part, a row of places for each seed."""
        rows = self.index.gather(1, places)
        examples = self.table.index_select(0, rows.flatten()).view(*rows.shape, *self.table.shape[1:])
        if self.fill is not None:
            examples = examples.where(~examples.isnan(), _beside(examples, self.fill))
        if self.shift is None or self.scale is None:
            return examples
        return examples.sub_(_beside(examples, self.shift)).mul_(_beside(examples, self.scale))

    def targets_at(self, places: Tensor) -> Tensor:
        """Targets [s, b, ...] of the examples at `places` [s, b] of this part."""
        further = self.labels.shape[2:]
        where = places.view(*places.shape, *[1] * len(further)).expand(*places.shape, *further)
        return self.labels.gather(1, where)

    def for_seed(self, k: int) -> Subset:
        """The part of the k-th seed alone."""
        shift, scale, fill = (None if t is None else t[k : k + 1] for t in (self.shift, self.scale, self.fill))
        return Subset(self.table, self.index[k : k + 1], self.labels[k : k + 1], shift, scale, fill)

    @property
    def inputs(self) -> Tensor:
        """Inputs [m, ...] of every example of the first seed: all of them in a job of one seed."""
        examples = self.table[self.index[0]]
        if self.fill is not None:
            examples = examples.where(~examples.isnan(), self.fill[0])
        return examples if self.shift is None or self.scale is None else (examples - self.shift[0]) * self.scale[0]

    @property
    def targets(self) -> Tensor:
        """Labels [m, ...] of the first seed."""
        return self.labels[0]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input of a model: of an example, or of an item of a group."""
        classes = 1 if self.labels.is_floating_point() else 0  # targets that are no class numbers end with the classes
        return tuple(self.table.shape[self.labels.ndim - 1 - classes :])


def _beside(examples: Tensor, columns: Tensor) -> Tensor:
    """Numbers [s, ...] of columns in a shape that broadcasts with examples [s, b, ..., ...]."""
    return columns.view(len(columns), *[1] * (examples.ndim - columns.ndim), *columns.shape[1:])


@dataclass(frozen=True, kw_only=True)
class TrainingJob(Job):
    """Input of a trainer: train `loss` on `train` once for every seed in `seeds`.

    `model(k)` builds the untrained network of the k-th seed; `generator(name, k)` is a CPU generator on the named
    stream of that seed, the same for every contender; the others are those of `Job`, without values.
    """

    loss: Loss
    model: Callable[..., nn.Module]
    train: Subset
    validation: Subset
    test: Subset
    classes: int
    generator: Callable[..., Generator]


@dataclass(frozen=True)
class TrainingResult:
    """Result of training: logits [s, m, ..., classes] on the test and validation parts, or the trainer's own numbers.

    `metrics` maps a name to one number per seed, for trainers that keep their logits to themselves; `learned` maps the
    path of a learned field to its final value per seed; `epochs` are those, from 1, that early stopping kept. `outcome`
    holds what a program reported for each seed, by key, unchecked; `per_example` the values [s, m] of a key whose
    number is their mean, and `examples` [s, m] the numbers of those examples, None for 0 to m - 1.
    """

    test: Tensor | None = None
    validation: Tensor | None = None
    metrics: Mapping[str, Sequence[float]] = field(default_factory=dict)
    learned: Mapping[str, Sequence[float]] = field(default_factory=dict)
    epochs: Sequence[int] = ()
    outcome: Sequence[Mapping[str, object]] = ()
    per_example: Mapping[str, Tensor] = field(default_factory=dict)
    examples: Tensor | None = None


class Dataset(Component):
    """A source of examples."""

    kind: ClassVar[str] = "dataset"

    @classmethod
    def needs_artifact(cls) -> bool:
        """Always True: the table is built before any cell starts."""
        return True

    @abstractmethod
    def load(self, generator: Generator) -> Examples:
        """Load the whole table, once per run in a process of its own. `generator` is fixed, for generated data."""

    def to_fetch(self) -> str | None:
        """Name of what `fetch` would download; None where all of it is here. Called without a network too."""
        return None

    def fetch(self) -> bool:
        """Download what `load` reads, unless it is there, for `bench fetch`; return whether anything was downloaded."""
        return False


class Model(Component):
    """A network architecture."""

    kind: ClassVar[str] = "model"

    @abstractmethod
    def build(self, inputs: Any, outputs: int) -> nn.Module:
        """An untrained network from [batch, inputs] to [batch, outputs], initialized from torch's global generator.

        `inputs` is the number of columns (int), or the shape of one input where it has several dimensions: (3, 32, 32)
        for images [batch, 3, 32, 32].
        """


class Loss(Component):
    """Function that training minimizes, written for one run; the harness maps it over seeds.

    `tasks` lists which of `classes`, `multilabel` and `grouped` it is for; an empty list means any. `own_gradient` says
    that the gradient is on purpose not that of the value: weights without gradient, or an estimate of its own.
    """

    kind: ClassVar[str] = "loss"
    dynamic: ClassVar[bool] = True
    tasks: ClassVar[Sequence[str]] = ()
    own_gradient: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, logits: Tensor, target: Tensor, /, *args: Any, **inputs: Any) -> Tensor:
        """Loss per example [batch], or a scalar, of logits [batch, classes] and target [batch]; nats for a likelihood.

        Further arguments are passed by name, from `harness.LOSS_INPUTS`.
        """

    def probabilities(self, logits: Tensor) -> Tensor | None:
        """Probabilities [..., n] of logits [..., n] under this loss; None for the usual ones: softmax, or sigmoid."""
        return None

    def log_probabilities(self, logits: Tensor) -> Tensor | None:
        """Logarithm of `probabilities`, where it can be computed more accurately than from them."""
        p = self.probabilities(logits)
        return None if p is None else p.log()

    def state(self) -> dict[str, Tensor]:
        """Running state of one run before its first step: name -> tensor. Empty for almost every loss."""
        return {}

    def with_state(
        self, logits: Tensor, target: Tensor, /, state: Mapping[str, Tensor], **inputs: Any
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step of a loss with running state, called in place of the loss itself: (loss, the next state)."""
        return self(logits, target, **inputs), state


class Transform(Component):
    """A map from logits to a probability distribution.

    `properties` are the guarantees beyond that: `order` (a larger logit has no smaller probability) and `shift` (a
    constant added to all logits changes nothing). `stochastic` says that every call draws anew.
    """

    kind: ClassVar[str] = "transform"
    dynamic: ClassVar[bool] = True
    properties: ClassVar[Sequence[str]] = ("order", "shift")
    stochastic: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, logits: Tensor, /) -> Tensor:
        """Probabilities [..., n] of logits [..., n]."""

    def log(self, logits: Tensor) -> Tensor:
        """Log-probabilities [..., n] of logits [..., n]; -inf where a probability is 0."""
        return self(logits).log()

    def reference_noise(self) -> Any | None:
        """Noise whose argmax this is, as a frozen distribution of scipy.stats, to compare with; None for others."""
        return None


class Trainer(Component):
    """A way to train `seeds_per_block` seeds at a time."""

    kind: ClassVar[str] = "trainer"
    seeds_per_block: ClassVar[int] = 1
    external: ClassVar[bool] = False

    def resolve(self, job: TrainingJob) -> tuple[Trainer, str | None]:
        """The trainer that runs the job, itself unless it selects another one, and a line with the reason."""
        return self, None

    def skip(self, job: TrainingJob) -> str | None:
        """Reason why this trainer cannot run the job, or None."""
        return None

    @abstractmethod
    def fit(self, job: TrainingJob) -> TrainingResult:
        """Train every seed of the job."""


class ExternalTrainer(Trainer):
    """A trainer that runs a program of the user's, which knows nothing of the harness and reports numbers.

    A suite with such a trainer needs no data set, model or loss; its axes hold words and numbers, which `job.values`
    passes on. Fields of the type `CommandLine` hold commands: their placeholders are checked with the suite, their
    files belong to the identity of a cell, and they are run only where the command line says `--trust`.
    """

    external: ClassVar[bool] = True

    @abstractmethod
    def fit(self, job: Job) -> TrainingResult:
        """Train every seed of the job; the result has an `outcome`."""
