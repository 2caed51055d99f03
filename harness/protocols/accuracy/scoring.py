"""Metrics on one seed's logits: the value, and the contribution of each test example."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import NamedTuple

import torch
from torch import Tensor

from harness.base import dynamic_fields, replace_fields
from harness.conformance import contract, first_call
from harness.dynamic import GeometricSchedule, Learned, LinearSchedule
from harness.errors import BenchError, Skip
from harness.inputs import NotOffered, call_with_inputs, gathered
from harness.kinds import Loss, Metric
from harness.kinds.classification import Subset
from harness.kinds.programs import OUTCOME_INPUTS
from harness.protocols.accuracy.declared import declared_scores, log_odds, usual_log_probabilities
from harness.protocols.accuracy.threshold import NEAR, decided, decisions, gaps, label_gaps, near_threshold, tied
from harness.protocols.judging import answered, unless_skipped
from harness.results.threshold import NearThreshold

GROUPS = 20
WHOLE = ("validation_logits", "validation_scores", "validation_target")
"""Inputs that are passed to a metric as a whole; every other one has a row for each example."""

METRIC_INPUTS = ("logits", "scores", "probabilities", "log_probabilities", "target", "inputs", *WHOLE, *OUTCOME_INPUTS)


@dataclass(frozen=True)
class Answers:
    """One seed's logits [m, ..., n] on a part of its split, and the other inputs that metrics may request.

    `loss` has the values of its fields at the end of training; `validation` is (logits, targets) if the trainer
    returned them.
    """

    logits: Tensor
    part: Subset
    task: str
    loss: Loss
    validation: tuple[Tensor, Tensor] | None

    def offer(self, metric: Metric) -> dict[str, Tensor]:
        """Return the inputs that the metric requests."""
        return gathered(metric, self, METRIC_INPUTS)

    @property
    def target(self) -> Tensor:
        """Targets [m, ...]."""
        return self.part.targets

    @cached_property
    def inputs(self) -> Tensor:
        """Inputs [m, ..., d]."""
        return self.part.inputs

    @cached_property
    def log_probabilities(self) -> Tensor:
        """Log-probabilities of classes, or of each label's presence. Raises BenchError if the loss's are invalid."""
        own = first_call.log_probabilities(self.loss, self.logits, self._labels, complete=False)
        return usual_log_probabilities(self.logits, self._labels) if own is None else own

    @cached_property
    def probabilities(self) -> Tensor:
        """Probabilities of classes, or of each label's presence. Raises BenchError if the loss's are invalid."""
        own = first_call.probabilities(self.loss, self.logits, self._labels, complete=False)
        usual = torch.sigmoid if self._labels else _softmax
        return usual(self.logits) if own is None else own

    @cached_property
    def scores(self) -> Tensor:
        """Log-odds of the loss's own probabilities. Raises NotOffered if the logits rank alike, see `declared`."""
        found = declared_scores(self.loss, self.logits, self._labels)
        if found is None:
            raise NotOffered("a metric requires scores, but the loss declares no probabilities: logits rank alike")
        return found

    @cached_property
    def deciding(self) -> Tensor:
        """Scores where the loss declares them, else logits."""
        try:
            return self.scores
        except NotOffered:
            return self.logits

    @cached_property
    def validation_scores(self) -> Tensor:
        """Scores of the validation part. Raises NotOffered where `scores` does, or where there are no such logits."""
        self.scores  # noqa: B018 - raises where logits rank alike
        found = declared_scores(self.loss, self.validation_logits, self._labels)
        usual = usual_log_probabilities(self.validation_logits, self._labels)
        return log_odds(usual, self._labels) if found is None else found

    @property
    def validation_logits(self) -> Tensor:
        """Logits of the validation part. Raises NotOffered if the trainer returned none."""
        return self._validation()[0]

    @property
    def validation_target(self) -> Tensor:
        """Targets of the validation part. Raises NotOffered if the trainer returned no logits."""
        return self._validation()[1]

    @property
    def outcome(self) -> Mapping[str, object]:
        """Raises NotOffered: these are the logits of a trainer that runs no program."""
        raise NotOffered("a metric asks for what a program reported, but the trainer runs none")

    outcome_per_example = outcome

    @cached_property
    def gaps(self) -> Tensor:
        """Distance [m] of each example from the threshold of its decision, or of the nearest one of its labels."""
        near = label_gaps(self.deciding).view_as(self.deciding).amin(-1) if self._labels else gaps(self.deciding)
        return near

    def scaled(self, factor: float) -> Answers:
        """Return the answers with all logits multiplied by a factor."""
        validation = None if self.validation is None else (factor * self.validation[0], self.validation[1])
        return replace(self, logits=factor * self.logits, validation=validation)

    def decided(self, mask: Tensor, rightly: bool) -> Answers:
        """Return the answers with all decisions on the threshold right, or all wrong."""
        logits = decided(self.logits, self.deciding, self.target, mask, rightly, self._labels)
        return replace(self, logits=logits)

    @property
    def _labels(self) -> bool:
        return self.task == "multilabel"

    def _validation(self) -> tuple[Tensor, Tensor]:
        if self.validation is None:
            raise NotOffered("a metric asks for the validation part, but the trainer gives no logits on it")
        return self.validation


def _softmax(logits: Tensor) -> Tensor:
    return logits.softmax(-1)


def applies(part: Loss | Metric, task: str) -> bool:
    """Return whether a loss, including the losses it holds, or a metric supports this task."""
    held = [value for value in vars(part).values() if isinstance(value, Loss)]
    return (not part.tasks or task in part.tasks) and all(applies(loss, task) for loss in held)


def at_the_end(loss: Loss, learned: Mapping[str, Sequence[float]], k: int) -> Loss:
    """Return the loss with the values of its learned and scheduled fields at the end of the k-th seed's training."""
    values: dict[tuple[str, ...], Tensor] = {}
    for path, value, _ in dynamic_fields(loss):
        if isinstance(value, Learned):
            values[path] = torch.tensor(learned.get(".".join(path), [value.start] * (k + 1))[k])
        elif isinstance(value, (GeometricSchedule, LinearSchedule)):
            values[path] = torch.tensor(value.at(1.0))
    return replace_fields(loss, values)


class Judgment(NamedTuple):
    """A metric on one seed: its value, the contribution of each unit [n], and the units' numbers [n]."""

    value: float
    contributions: Tensor
    examples: Tensor


def judge(metric: Metric, answers: Answers) -> Judgment | None:
    """Return a metric's value and the contributions to it; None if it has no value.

    A metric with one number or more for each example is their mean, and the examples are the units. Every other
    metric uses its delete-a-group jackknife: the units are groups of examples (example number modulo 20, so that an
    example is in the same group for every seed) and their pseudo-values; a group without an example here, or without
    which the metric has no value, contributes the value itself. Raises BenchError for a result of another shape.
    """
    offered, result = answers.offer(metric), _scores(metric, answers)
    if result is None:
        return None
    if result.ndim:
        result = result.double().flatten(1).mean(1) if result.ndim > 1 else result
        return Judgment(float(result.double().mean()), result, answers.part.index[0])
    value, groups, numbers = float(result), answers.part.index[0] % GROUPS, torch.arange(GROUPS)
    without = [_without(metric, offered, groups != number, value) for number in numbers]
    pseudo = GROUPS * value - (GROUPS - 1) * torch.tensor(without, dtype=torch.float64)
    return Judgment(value, pseudo, numbers)


def try_metrics(metrics: Iterable[Metric], answers: Answers) -> None:
    """Judge one seed's answers twice. Raises BenchError for a metric without scores, or with others the next time."""
    for metric in metrics:
        with warnings.catch_warnings(action="ignore"):
            judged = partial(_scores, metric, answers)
            first_call.try_metric(metric, judged)


def _scores(metric: Metric, answers: Answers) -> Tensor | None:
    return contract.scores(metric, answered(metric, answers.offer(metric)), answers.target)


def decided_near(answers: Answers) -> tuple[Tensor, Tensor, Tensor]:
    """Gaps, results and numbers [m] of one seed's decisions; empty where its logits decide nothing."""
    labels, logits = answers.task == "multilabel", answers.logits
    if logits.ndim != 2 or logits.shape[1] < 2:
        return torch.empty(0), torch.empty(0), torch.empty(0, dtype=torch.int64)
    width = logits.shape[1] if labels else 1
    near = (label_gaps if labels else gaps)(answers.deciding)
    right = decisions(answers.deciding, answers.target, labels).double()
    return near, right, (answers.part.index[0][:, None] * width + torch.arange(width)).flatten()


def on_decisions(metrics: Mapping[str, Metric], seeds: Sequence[Answers]) -> dict[str, list[float]]:
    """Return how much decisions on the threshold can change each metric of decisions at each seed, where any is.

    Such a metric is one number that does not depend on the scale of the logits, as balanced accuracy or an F-score.
    """
    masks = tied(*zip(*map(decided_near, seeds), strict=True))
    if masks is None:
        return {}
    found = {
        label: [_range(metric, one, mask) or 0.0 for one, mask in zip(seeds, masks, strict=True)]
        for label, metric in metrics.items()
    }
    return {label: shares for label, shares in found.items() if any(shares)}


def near_decisions(metrics: Mapping[str, Metric], answers: Answers) -> dict[str, NearThreshold | None]:
    """Return one seed's decisions near the threshold, for each metric of decisions."""
    near, right, numbers = decided_near(answers)
    reaches = {label: _range(metric, answers, near <= NEAR) for label, metric in metrics.items()}
    return {label: near_threshold(near, right, numbers, reach) for label, reach in reaches.items() if reach is not None}


def _range(metric: Metric, answers: Answers, mask: Tensor) -> float | None:
    """Return a metric's value where all decisions on the threshold are right less that where all are wrong.

    Returns None for a metric of anything but decisions.
    """
    with contextlib.suppress(Skip):
        plain, doubled = _number(metric, answers), _number(metric, answers.scaled(2.0))
        if plain is not None and doubled is not None and math.isclose(plain, doubled, rel_tol=1e-9):
            ends = [_number(metric, answers.decided(mask, rightly)) for rightly in (True, False)]
            return None if None in ends else abs(float(ends[0] or 0) - float(ends[1] or 0))
    return None


def _number(metric: Metric, answers: Answers) -> float | None:
    found = _scores(metric, answers)
    return None if found is None else float(found.double().mean())


def score(label: str, metric: Metric, answers: Answers) -> float:
    """Return the value alone. Raises BenchError if the metric has no value."""
    why: dict[str, str] = {}

    found = unless_skipped(label, why, partial(_scores, metric, answers))
    if found is None:
        raise BenchError(f"nothing can be tuned on {label}: {why.get(label, 'it does not apply here')}")
    return float(found.double().mean())


def _without(metric: Metric, offered: Mapping[str, Tensor], keep: Tensor, value: float) -> float:
    with contextlib.suppress(Skip):
        found = contract.number(metric, call_with_inputs(metric, **_rows(offered, keep)))
        return value if found is None else found
    return value


def _rows(offered: Mapping[str, Tensor], keep: Tensor) -> dict[str, Tensor]:
    return {name: value if name in WHOLE else value[keep] for name, value in offered.items()}
