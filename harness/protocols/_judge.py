"""Metrics on logits: one value a seed, and what each test example contributed to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from harness.inputs import call
from harness.kinds import Metric

GROUPS = 20


def judge(
    metrics: Mapping[str, Metric], logits: Tensor, targets: Tensor, ids: Tensor
) -> dict[str, tuple[float, Tensor, Tensor]]:
    """Every metric on one seed's logits [m, n]: label -> (value, unit values, unit numbers).

    A metric that is one number an example is its mean, and the examples are the units. Any other is judged by its
    delete-a-group jackknife: the units are groups of examples (example number modulo 20, so that an example is in
    the same group for every seed) and their pseudo-values; a group that has no example here has the value itself.
    """
    return {label: _one(metric, logits, targets, ids) for label, metric in metrics.items()}


def score(metric: Metric, logits: Tensor, targets: Tensor) -> float:
    """The value alone."""
    return float(_apply(metric, logits, targets).double().mean())


def _one(metric: Metric, logits: Tensor, targets: Tensor, ids: Tensor) -> tuple[float, Tensor, Tensor]:
    result = _apply(metric, logits, targets)
    if result.ndim == 1:
        return float(result.double().mean()), result, ids
    value, groups, numbers = float(result), ids % GROUPS, torch.arange(GROUPS)
    without = [float(_apply(metric, logits[groups != number], targets[groups != number])) for number in numbers]
    pseudo = GROUPS * value - (GROUPS - 1) * torch.tensor(without, dtype=torch.float64)
    return value, pseudo, numbers


def _apply(metric: Metric, logits: Tensor, targets: Tensor) -> Tensor:
    offers: dict[str, Any] = {"logits": logits, "probabilities": logits.softmax(-1), "target": targets}
    return torch.as_tensor(call(metric, **offers))
