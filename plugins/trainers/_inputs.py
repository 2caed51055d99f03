"""What a loss asks for by name beside logits and targets."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def forward(model: nn.Module, run: Callable[[], Tensor], wants_features: bool) -> tuple[Tensor, Tensor | None]:
    """(logits, features or None); `run` calls the model.

    The `features` are the input of the layer that is called last, of those with parameters of their own.
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
    """How often each class or label is there in the training part, [s, classes], from labels [s, m, ...]."""
    if labels.is_floating_point():
        return labels.flatten(1, -2).sum(1)
    labels = labels.flatten(1)
    return torch.zeros(len(labels), classes).scatter_add_(1, labels, torch.ones(labels.shape))


def schedule(settings: Any, progress: float) -> float:
    """What the learning rate is multiplied by at a progress in [0, 1]."""
    return 0.5 * (1 + math.cos(math.pi * progress)) if settings.lr_schedule == "cosine" else 1.0


def reseed(number: int, device: str) -> None:
    """Seed torch's own generator of a device; `torch.manual_seed` also queues a call for CUDA, which takes longer."""
    if device == "cpu":
        torch.default_generator.manual_seed(number)
    else:
        torch.manual_seed(number)
