"""Negative log-likelihood as a metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class NLL(Metric):
    """-log softmax(logits)[target], the surprise at the true label. Lower is better; nats; unbiased.

    logits [..., n, classes], target [..., n] -> [..., n]. Taken from the logits, so it is finite where the
    probability underflows to 0; one confident mistake can dominate the mean.
    """

    better: ClassVar[str] = "lower"
    unit: ClassVar[str | None] = "nats"

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return -torch.log_softmax(logits, -1).gather(-1, target[..., None])[..., 0]


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [NLL]
