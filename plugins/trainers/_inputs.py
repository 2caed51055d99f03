"""Inputs that a loss requests by name besides logits and targets."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness import Loss, Subset, call_with_inputs, loss_value

STANDARDIZED = 1 << 24
"""Most numbers in a training part that is standardized beforehand."""


def forward(model: nn.Module, run: Callable[[], Tensor], wants_features: bool) -> tuple[Tensor, Tensor | None]:
    """Logits and features (or None); `run` calls the model.

    The `features` are the input of the layer with parameters that is called last.
    """
    if not wants_features:
        return run(), None
    seen: list[Tensor] = []
    layers = [module for module in model.modules() if any(True for _ in module.parameters(recurse=False))]
    handles = [layer.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0])) for layer in layers]
    try:
        return run(), seen[-1]
    finally:
        for handle in handles:
            handle.remove()


def class_counts(labels: Tensor, classes: int) -> Tensor:
    """Number of examples of each class or label in the training part, [s, classes], from labels [s, m, ...]."""
    if labels.is_floating_point():
        return labels.flatten(1, -2).sum(1)
    labels = labels.flatten(1)
    return torch.zeros(len(labels), classes).scatter_add_(1, labels, torch.ones(labels.shape))


def stepped(
    loss: Loss, logits: Tensor, target: Tensor, state: Mapping[str, Tensor], inputs: Mapping[str, Any]
) -> tuple[Tensor, Mapping[str, Tensor]]:
    """The loss of one step and its next state; a loss without running state is simply called.

    Raises BenchError for a value that is not one number for each example or a scalar.
    """
    if not state:
        value = call_with_inputs(loss, logits, target, **inputs) if inputs else loss(logits, target)
        return loss_value(loss, value, len(logits)), state
    value, after = call_with_inputs(loss.with_state, logits, target, state=state, **inputs)
    return loss_value(loss, value, len(logits), "with_state"), after


def batches(examples: int, size: int) -> list[slice]:
    """Places of the examples of each batch of an epoch, in order.

    One example that would be left over joins the batch before it: batch norm has no deviation of a single row.
    """
    starts = range(0, examples, size)
    if size > 1 and len(starts) > 1 and examples % size == 1:
        starts = starts[:-1]
    return [slice(*ends) for ends in itertools.pairwise([*starts, examples])]


def standardized(part: Subset) -> Subset:
    """The same part with a table for each seed whose columns are standardized beforehand, unless that is too large."""
    size = part.index.numel() * part.table[0].numel()
    if (part.shift is None and part.fill is None) or size > STANDARDIZED:
        return part
    lanes, examples = part.index.shape
    table = part.inputs_at(torch.arange(examples).expand(lanes, -1)).flatten(0, 1)
    return Subset(table, torch.arange(lanes * examples).view(lanes, examples), part.labels)


def reseed(number: int, device: str) -> None:
    """Seed the global generators of Python, numpy and torch; `torch.manual_seed` also queues a call for CUDA."""
    random.seed(number)
    np.random.seed(number % 2**32)
    if device == "cpu":
        torch.default_generator.manual_seed(number)
    else:
        torch.manual_seed(number)
