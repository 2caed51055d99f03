"""What a transform's distributions look like."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from harness import Metric, hookimpl


class Sparsity(Metric):
    """The share of probabilities that are exactly 0. A description.

    probabilities [batch, n] -> [0, 1].
    """

    better: ClassVar[str | None] = None

    def __call__(self, probabilities: Tensor) -> float:
        return float((probabilities == 0).double().mean())


class Entropy(Metric):
    """The mean entropy of the distributions in nats. A description.

    probabilities [batch, n] -> [0, log n].
    """

    better: ClassVar[str | None] = None
    unit: ClassVar[str | None] = "nats"

    def __call__(self, probabilities: Tensor) -> float:
        return float(torch.special.entr(probabilities.double()).sum(-1).mean())


class GradientNorm(Metric):
    """The mean norm of the gradient in the logits under fixed random weights. A description.

    gradient [batch, n] -> scalar.
    """

    better: ClassVar[str | None] = None

    def __call__(self, gradient: Tensor) -> float:
        return float(gradient.double().norm(dim=-1).mean())


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [Sparsity, Entropy, GradientNorm]
