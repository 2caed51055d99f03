"""How exact a transform is, against an integration on another way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from harness import Metric, hookimpl


class Error(Metric):
    """The largest distance of a probability from an independent reference, over sampled classes. Lower is better.

    probabilities [batch, n], reference: (row, class, probability) triples -> scalar; None for a transform that is not
    the argmax of a noise, which has no reference. Biased downward: classes that were not sampled may be worse.
    """

    better: ClassVar[str] = "lower"

    def __call__(self, probabilities: Tensor, reference: Sequence[tuple[int, int, float]] | None) -> float | None:
        if reference is None:
            return None
        return max(abs(float(probabilities[row, column]) - exact) for row, column, exact in reference)


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [Error]
