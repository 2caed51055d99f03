"""Shape of a transform's distributions."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from harness import Metric, hookimpl


class Sparsity(Metric):
    """Share of probabilities that are exactly 0.

    A description. probabilities [batch, n] -> [0, 1].
    """

    higher_is_better: ClassVar[bool | None] = None

    def __call__(self, probabilities: Tensor) -> float:
        return float((probabilities == 0).double().mean())


class Entropy(Metric):
    """Mean entropy of the distributions.

    In nats. A description. probabilities [batch, n] -> [0, log n].
    """

    higher_is_better: ClassVar[bool | None] = None
    unit: ClassVar[str | None] = "nats"

    def __call__(self, probabilities: Tensor) -> float:
        return float(torch.special.entr(probabilities.double()).sum(-1).mean())


class GradientNorm(Metric):
    """Mean norm of the gradient in the logits under fixed random weights.

    A description. gradient [batch, n] -> scalar.
    """

    higher_is_better: ClassVar[bool | None] = None

    def __call__(self, gradient: Tensor) -> float:
        return float(gradient.double().norm(dim=-1).mean())


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [Sparsity, Entropy, GradientNorm]
