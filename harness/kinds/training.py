"""What is trained, and how: data sets, networks, losses, transforms, trainers. Losses are in nats."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from harness.base import Component

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

    from harness.exchange import Data, Job, Outcome

INPUTS = ("progress", "step", "epoch", "generator", "index", "features", "class_counts", "state")
"""What a loss may ask for by argument name, beside its first two arguments."""


class Dataset(Component):
    """A source of examples."""

    kind: ClassVar[str] = "dataset"

    @classmethod
    def is_made(cls) -> bool:
        """Always: its table."""
        return True

    @abstractmethod
    def load(self, generator: Generator) -> Data:
        """The whole table. Called once per run in a process of its own; `generator` is fixed, for made-up data."""


class Model(Component):
    """A network architecture."""

    kind: ClassVar[str] = "model"

    @abstractmethod
    def build(self, inputs: int, outputs: int) -> nn.Module:
        """An untrained network from [batch, inputs] to [batch, outputs], initialised from torch's global generator."""


class Loss(Component):
    """What training minimises, written for one run; the harness maps it over seeds.

    `tasks` are those of `classes`, `multilabel` and `grouped` it is for; any where there are none.
    """

    kind: ClassVar[str] = "loss"
    dynamic: ClassVar[bool] = True
    tasks: ClassVar[Sequence[str]] = ()

    @abstractmethod
    def __call__(self, *args: Any, **inputs: Any) -> Any:
        """(logits [batch, classes], target [batch]) -> [batch] or a scalar, nats where it is a likelihood.

        Further arguments come by name from `harness.kinds.INPUTS`. A loss that asks for `state` returns (loss, state).
        """

    def probabilities(self, logits: Tensor) -> Tensor | None:
        """What logits [..., n] mean under this loss [..., n]; None for what they usually do: softmax, or sigmoid."""
        return None

    def log_probabilities(self, logits: Tensor) -> Tensor | None:
        """The logarithm of `probabilities`, where it can be had more exactly than by taking it."""
        p = self.probabilities(logits)
        return None if p is None else p.log()

    def state(self) -> dict[str, Any]:
        """The running state of one run before its first step: name -> tensor. Empty for almost every loss."""
        return {}


class Transform(Component):
    """A map from logits to a probability distribution.

    `axioms` are the promises beyond being one: `order` (a larger logit has no smaller probability) and `shift` (a
    constant added to all logits changes nothing); `random` says that every call draws anew.
    """

    kind: ClassVar[str] = "transform"
    dynamic: ClassVar[bool] = True
    axioms: ClassVar[Sequence[str]] = ("order", "shift")
    random: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, *args: Any, **inputs: Any) -> Any:
        """(logits [..., n]) -> probabilities [..., n]."""

    def log(self, logits: Tensor) -> Tensor:
        """(logits [..., n]) -> log-probabilities [..., n]; -inf where a probability is 0."""
        result: Tensor = self(logits).log()
        return result

    def reference_noise(self) -> Any | None:
        """The noise whose argmax this is, as a frozen distribution of scipy.stats, for an independent reference.

        None for a transform of another family.
        """
        return None


class Trainer(Component):
    """A way to train: `width` seeds at a time."""

    kind: ClassVar[str] = "trainer"
    width: ClassVar[int] = 1

    def choose(self, job: Job) -> tuple[Trainer, str | None]:
        """The trainer that runs the job, itself unless it decides between others, and a line that says why."""
        return self, None

    def skip(self, job: Job) -> str | None:
        """Why this trainer cannot run the job, or None."""
        return None

    @abstractmethod
    def fit(self, job: Job) -> Outcome:
        """Train every seed of the job."""
