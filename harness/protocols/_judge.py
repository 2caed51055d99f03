"""Metrics on one seed's logits: the value, and what each test example contributed to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from harness.base import dynamic_fields, with_values
from harness.dynamic import Geometric, Learn, Linear
from harness.errors import BenchError
from harness.exchange import Part
from harness.inputs import call, wanted
from harness.kinds import Loss, Metric

GROUPS = 20
WHOLE = ("validation_logits", "validation_target")
"""What a metric is offered whole; everything else has a row for each example."""

OFFERS = ("logits", "probabilities", "log_probabilities", "target", "inputs", *WHOLE)


@dataclass(frozen=True)
class Answers:
    """One seed's logits [m, ..., n] on a part of its split, and what else metrics may ask for.

    `loss` holds the values its fields had at the end of training; `validation` is (logits, targets) where the trainer
    gave them.
    """

    logits: Tensor
    part: Part
    task: str
    loss: Loss
    validation: tuple[Tensor, Tensor] | None

    def offer(self, metric: Metric) -> dict[str, Any]:
        """What the metric asks for."""
        asked = wanted(metric, 0)
        return {name: getattr(self, name) for name in OFFERS if name in asked}

    @property
    def target(self) -> Tensor:
        """[m, ...]."""
        return self.part.targets

    @cached_property
    def inputs(self) -> Tensor:
        """[m, ..., d]."""
        return self.part.inputs

    @cached_property
    def log_probabilities(self) -> Tensor:
        """Of the classes, or of the labels being there."""
        own = self.loss.log_probabilities(self.logits)
        usual = torch.nn.functional.logsigmoid if self.task == "multilabel" else _log_softmax
        return usual(self.logits) if own is None else own

    @cached_property
    def probabilities(self) -> Tensor:
        """Of the classes, or of the labels being there."""
        own = self.loss.probabilities(self.logits)
        usual = torch.sigmoid if self.task == "multilabel" else _softmax
        return usual(self.logits) if own is None else own

    @property
    def validation_logits(self) -> Tensor:
        """Raises BenchError where the trainer gives none."""
        return self._validation()[0]

    @property
    def validation_target(self) -> Tensor:
        """Raises BenchError where the trainer gives none."""
        return self._validation()[1]

    def _validation(self) -> tuple[Tensor, Tensor]:
        if self.validation is None:
            raise BenchError("a metric asks for the validation part, but the trainer gives no logits on it")
        return self.validation


def _softmax(logits: Tensor) -> Tensor:
    return logits.softmax(-1)


def _log_softmax(logits: Tensor) -> Tensor:
    return logits.log_softmax(-1)


def applies(part: Loss | Metric, task: str) -> bool:
    """Whether a loss, with the losses it holds, or a metric is for this task."""
    held = [value for value in vars(part).values() if isinstance(value, Loss)]
    return (not part.tasks or task in part.tasks) and all(applies(loss, task) for loss in held)


def at_the_end(loss: Loss, learned: Mapping[str, Sequence[float]], k: int) -> Loss:
    """The loss with the values its learned and scheduled fields had when the k-th seed's training was over."""
    values: dict[tuple[str, ...], Tensor] = {}
    for path, value, _ in dynamic_fields(loss):
        if isinstance(value, Learn):
            values[path] = torch.tensor(learned.get(".".join(path), [value.start] * (k + 1))[k])
        elif isinstance(value, (Geometric, Linear)):
            values[path] = torch.tensor(value.at(1.0))
    result: Loss = with_values(loss, values)
    return result


def judge(metrics: Mapping[str, Metric], answers: Answers) -> dict[str, tuple[float, Tensor, Tensor]]:
    """Every metric that is for the task: label -> (value, unit values, unit numbers).

    A metric that gives one number or more for each example is their mean, and the examples are the units. Any other is
    judged by its delete-a-group jackknife: the units are groups of examples (example number modulo 20, so that an
    example is in the same group for every seed) and their pseudo-values; a group that has no example here has the value
    itself.
    """
    return {label: _one(metric, answers) for label, metric in metrics.items() if applies(metric, answers.task)}


def score(metric: Metric, answers: Answers) -> float:
    """The value alone."""
    return float(torch.as_tensor(call(metric, **answers.offer(metric))).double().mean())


def _one(metric: Metric, answers: Answers) -> tuple[float, Tensor, Tensor]:
    offered = answers.offer(metric)
    result = torch.as_tensor(call(metric, **offered))
    if result.ndim:
        result = result.double().flatten(1).mean(1) if result.ndim > 1 else result
        return float(result.double().mean()), result, answers.part.index[0]
    value, groups, numbers = float(result), answers.part.index[0] % GROUPS, torch.arange(GROUPS)
    without = [float(call(metric, **_rows(offered, groups != number))) for number in numbers]
    pseudo = GROUPS * value - (GROUPS - 1) * torch.tensor(without, dtype=torch.float64)
    return value, pseudo, numbers


def _rows(offered: Mapping[str, Any], keep: Tensor) -> dict[str, Any]:
    return {name: value if name in WHOLE else value[keep] for name, value in offered.items()}
