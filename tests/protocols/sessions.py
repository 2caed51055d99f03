"""Sessions of the accuracy protocol, and trainers that are looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness import CellContext, Examples, Metric, Model, Trainer, TrainingJob, TrainingResult, component

BLOCK = range(32)


def table(**fields: Any) -> Examples:
    draw = torch.Generator().manual_seed(5)
    inputs = torch.randn(90, 4, generator=draw)
    targets = (inputs @ torch.randn(4, 3, generator=draw) + torch.randn(90, 3, generator=draw)).argmax(1)
    return Examples(inputs=inputs, targets=targets, classes=3, **fields)


class Narrow(Model):
    """One layer, so that every seed's training is convex."""

    def build(self, inputs: int, outputs: int) -> nn.Module:
        """The layer."""
        return nn.Linear(inputs, outputs)


def open_session(
    folder: Path,
    *,
    loss: Any = "cross_entropy",
    trainer: Any = "stacked",
    data: Examples | None = None,
    metrics: Mapping[str, Metric] | None = None,
    tune: Mapping[str, Any] | None = None,
    split: str = "seed",
    **settings: Any,
) -> Any:
    case = CellContext(
        components={
            "dataset": component("dataset", "iris"),
            "model": Narrow(),
            "loss": component("loss", loss) if isinstance(loss, str) else loss,
            "trainer": component("trainer", trainer) if isinstance(trainer, str) else trainer,
        },
        build=lambda kind, spec: component(kind, **spec),
        metrics=metrics or {"nll": component("metric", "nll"), "accuracy": component("metric", "accuracy")},
        tune=tune,
        artifacts={"dataset": data or table()},
        split=split,
        device="cpu",
        folder=folder,
        on_progress=lambda *_: None,
    )
    return component("protocol", "accuracy", **{"epochs": 3, **settings}).setup(case)


class Spy(Trainer):
    """Answers logits that were written down beforehand by learning rate; notes the jobs it was given."""

    jobs: ClassVar[list[TrainingJob]] = []
    seeds_per_block: ClassVar[int] = 4

    def fit(self, job: TrainingJob) -> TrainingResult:
        """The logits of `answer`."""
        self.jobs.append(job)
        return TrainingResult(test=answer(job, job.test, "test"), validation=answer(job, job.validation, "validation"))


def answer(job: TrainingJob, part: Any, name: str) -> Tensor:
    """Logits [s, m, classes] that depend on the seed, the rate and the part only."""
    return torch.stack([confidence(name, s, lr) * F.one_hot(y, 3) for s, lr, y in zip(job.seeds, job.lr, part.labels, strict=True)])  # fmt: skip


def confidence(name: str, seed: int, lr: float) -> float:
    return math.sin(1e4 * lr + seed) + (lr if name == "validation" else -lr)


def nll_of(weight: float) -> float:
    """-log softmax of the first of (weight, 0, 0)."""
    return math.log(math.exp(weight) + 2) - weight


NOTED: list[tuple[TrainingResult, TrainingJob]] = []


class Noting(Trainer):
    """Stacked training that is looked at."""

    seeds_per_block: ClassVar[int] = 2

    def fit(self, job: TrainingJob) -> TrainingResult:
        """As `stacked`."""
        outcome: TrainingResult = component("trainer", "stacked").fit(job)
        NOTED.append((outcome, job))
        return outcome


class Worst(Metric):
    """The largest probability of a wrong answer: no mean over examples."""

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, probabilities: Tensor, target: Tensor) -> Tensor:
        return probabilities.scatter(1, target[:, None], 0).max() ** 2
