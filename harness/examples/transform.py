"""A transform: from logits to probabilities."""

import torch
from torch import Tensor

from harness import Positive, Transform, hookimpl


class ScaledSoftmax(Transform):
    """Softmax of logits times a factor."""

    factor: Positive = 2.0

    def __call__(self, logits: Tensor, /) -> Tensor:
        """Logits [..., n] -> probabilities [..., n]."""
        return torch.softmax(self.factor * logits, -1)

    def log(self, logits: Tensor) -> Tensor:
        """Logits [..., n] -> log-probabilities [..., n]: without underflow."""
        return torch.log_softmax(self.factor * logits, -1)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [ScaledSoftmax]
