"""A protocol: what is measured, and how."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch

from harness import (
    CellContext,
    CellRunner,
    Measurements,
    Metric,
    PositiveInt,
    Protocol,
    call_with_inputs,
    hookimpl,
)


class AtRandom(Protocol):
    """Metrics of what a transform makes of random logits."""

    classes: PositiveInt = 10

    required_kinds: ClassVar[Mapping[str, Any]] = {"transform": None}
    compared_kinds: ClassVar[Sequence[str]] = ("transform",)
    metric_inputs: ClassVar[Sequence[str]] = ("probabilities", "target")

    def setup(self, context: CellContext) -> CellRunner:
        """The runner of one row of the suite."""
        return Drawn(context, self.classes)


class Drawn(CellRunner):
    """Draws logits and classes for every seed."""

    block_size = 16

    def __init__(self, context: CellContext, classes: int) -> None:
        self.transform: Any = context.components["transform"]
        self.metrics, self.classes = context.metrics, classes

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Measurements:
        """One number for every metric and seed."""
        values = Measurements(seeds=seeds, metrics={})
        for label, metric in self.metrics.items():
            values.metrics[label] = [self.value(metric, seed) for seed in seeds]
        return values

    def value(self, metric: Metric, seed: int) -> float:
        """The mean of a metric over 100 examples."""
        generator = torch.Generator().manual_seed(seed)
        logits = torch.randn(100, self.classes, generator=generator)
        target = torch.randint(self.classes, (100,), generator=generator)
        inputs = {"probabilities": self.transform(logits), "target": target}
        answer = call_with_inputs(metric, **inputs)
        return float(torch.as_tensor(answer).mean())


@hookimpl
def components() -> list[type[Protocol]]:
    """The component classes of this module."""
    return [AtRandom]
