"""Kinds that compare and judge: a dissimilarity, two metrics, a protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from harness import (
    CellContext,
    CellRunner,
    Component,
    Dissimilarity,
    Loss,
    Measurements,
    Metric,
    Positive,
    PositiveInt,
    Protocol,
    Skip,
    StoppingDecision,
    hookimpl,
    pairwise_distances,
)


class Saturating(Dissimilarity):
    """d / (reach + d), d the Euclidean distance."""

    reach: Positive = 1.0

    def __call__(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        gaps = pairwise_distances(x, x if y is None else y)
        return gaps / (self.reach + gaps)


class SecondGuess(Metric):
    """Whether one of the two most likely classes is right."""

    tasks: ClassVar = ("classes",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        if logits.shape[-1] < 3:
            raise Skip("of two classes one is always right")
        return (logits.topk(2).indices == target[..., None]).any(-1).double()


class LargestWeight(Metric):
    """The largest probability."""

    higher_is_better: ClassVar[bool | None] = None

    def __call__(self, probabilities: Tensor) -> float:
        return float(probabilities.max())


class AtZero(Protocol):
    """The loss of logits that are all 0."""

    classes: PositiveInt = 10

    required_kinds: ClassVar[Mapping[str, Any]] = {"loss": None}
    compared_kinds: ClassVar[Sequence[str]] = ("loss",)
    metric_inputs: ClassVar[Sequence[str]] = ("value",)
    artifacts: ClassVar[Mapping[str, Sequence[str]]] = {}

    def setup(self, context: CellContext) -> CellRunner:
        """The runner of one loss."""
        loss = context.components["loss"]
        if not isinstance(loss, Loss):
            raise Skip(f"{loss!r} is no loss")
        return Once(loss, self.classes, context.metrics, context.folder)


class Once(CellRunner):
    """Calls the loss once for every seed."""

    block_size = 4

    def __init__(self, loss: Loss, classes: int, metrics: Mapping[str, Metric], folder: Path) -> None:
        self.loss, self.classes, self.metrics, self.folder = loss, classes, metrics, folder

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Measurements:
        """The loss on a class that the seed draws."""
        values = [float(self.loss(torch.zeros(1, self.classes), self.drawn(seed)).mean()) for seed in seeds]
        return Measurements(seeds=seeds, metrics={label: list(values) for label in self.metrics})

    def drawn(self, seed: int) -> Tensor:
        """One class [1]."""
        return torch.randint(self.classes, (1,), generator=torch.Generator().manual_seed(seed))

    def should_stop(self, blocks: Sequence[Sequence[Mapping[str, list[float]]]], spent: float) -> StoppingDecision:
        """Never early."""
        return StoppingDecision(warm=0)


@hookimpl
def components() -> list[type[Component]]:
    """The component classes of this module."""
    return [Saturating, SecondGuess, LargestWeight, AtZero]
