"""Kinds that train classifiers: a data set, a network, a trainer, three losses, two transforms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from harness import (
    Component,
    Dataset,
    Examples,
    Loss,
    Model,
    NonNegative,
    Positive,
    PositiveInt,
    Trainer,
    TrainingJob,
    TrainingResult,
    Transform,
    UnitInterval,
    call_with_inputs,
    hookimpl,
    named,
)


class Moons(Dataset):
    """Two half circles that reach into each other."""

    points: PositiveInt = 200
    noise: NonNegative = 0.1

    def load(self, generator: Generator) -> Examples:
        """Points [n, 2] with normal noise of that deviation, and the circle that each is from."""
        targets = torch.arange(self.points) % 2
        angles = torch.pi * torch.rand(self.points, generator=generator)
        sides = 1 - 2 * targets
        circles = torch.stack([sides * angles.cos() + targets, sides * angles.sin() + targets / 2], 1)
        inputs = circles + self.noise * torch.randn(self.points, 2, generator=generator)
        return Examples(inputs=inputs, targets=targets, classes=2)


class OneLayer(Model):
    """One hidden layer."""

    hidden: PositiveInt = 16

    def build(self, inputs: int, outputs: int) -> nn.Module:
        """The untrained network."""
        return nn.Sequential(nn.Linear(inputs, self.hidden), nn.Tanh(), nn.Linear(self.hidden, outputs))


class FullBatch(Trainer):
    """Gradient descent on all examples at once."""

    steps: PositiveInt = 20

    def skip(self, job: TrainingJob) -> str | None:
        """A job of several classes alone."""
        return "there is nothing to tell apart" if job.classes < 2 else None

    def fit(self, job: TrainingJob) -> TrainingResult:
        """Logits of the first seed."""
        model = job.model(0)
        weights = list(model.parameters())
        for step in range(self.steps):
            inputs = {"progress": step / self.steps}
            value = call_with_inputs(job.loss, model(job.train.inputs), job.train.targets, **inputs)
            for weight, gradient in zip(weights, torch.autograd.grad(value.mean(), weights), strict=True):
                weight.data.sub_(job.lr[0] * gradient)
            job.on_progress(step + 1, self.steps)
        with torch.no_grad():
            return TrainingResult(test=model(job.test.inputs)[None], validation=model(job.validation.inputs)[None])


class Sharpened(Loss):
    """Cross-entropy of logits that are multiplied by more and more: takes the progress of training by name."""

    tasks: ClassVar = ("classes",)
    last: Positive = 2.0

    def __call__(self, logits: Tensor, target: Tensor, progress: float = 0.0) -> Tensor:
        factor = 1 + (self.last - 1) * progress
        return functional.cross_entropy(factor * logits, target, reduction="none")


class Centered(Loss):
    """Cross-entropy of logits less their running mean: a loss with a state."""

    memory: UnitInterval = 0.9

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return functional.cross_entropy(logits, target, reduction="none")

    def state(self) -> dict[str, Tensor]:
        """A mean of 0."""
        return {"mean": torch.zeros(())}

    def with_state(
        self, logits: Tensor, target: Tensor, /, state: Mapping[str, Tensor], **inputs: Any
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The loss, and the mean moved towards that of the batch."""
        mean = self.memory * state["mean"] + (1 - self.memory) * logits.detach().mean()
        return self(logits - mean, target), {"mean": mean}


class Halved(Loss):
    """Half of another loss: a component as a field, whose inputs are handed on."""

    loss: Loss = named("sharpened")

    def __call__(self, logits: Tensor, target: Tensor, /, **inputs: Any) -> Tensor:
        value: Tensor = call_with_inputs(self.loss, logits, target, **inputs)
        return value / 2

    def probabilities(self, logits: Tensor) -> Tensor | None:
        """Those of the other."""
        return self.loss.probabilities(logits)


class Powers(Transform):
    """A power of what softmax says, divided by its sum."""

    exponent: Positive = 1.0

    def __call__(self, logits: Tensor) -> Tensor:
        return torch.softmax(self.exponent * logits, -1)


class Squares(Transform):
    """Squares of positive logits."""

    properties: ClassVar = ()

    def __call__(self, logits: Tensor, /) -> Tensor:
        squares = logits.clamp(min=1e-6).square()
        return squares / squares.sum(-1, keepdim=True)

    def log(self, logits: Tensor) -> Tensor:
        """The logarithm without a quotient."""
        logs = 2 * logits.clamp(min=1e-6).log()
        return logs - logs.logsumexp(-1, keepdim=True)


@hookimpl
def components() -> list[type[Component]]:
    """The component classes of this module."""
    return [Moons, OneLayer, FullBatch, Sharpened, Centered, Halved, Powers, Squares]
