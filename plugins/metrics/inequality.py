"""Indices of inequality, as economists use them, of the places that points take as neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class RobinHood(Metric):
    """The share of places as a neighbour to be given away until all have the same (Hoover, 1936). Lower is better.

    counts [n] -> half the sum of |N_k - mean| over the sum of N_k, in [0, 1). Not heavy-tailed, unlike skewness.
    """

    better: ClassVar[str] = "lower"

    def __call__(self, counts: Tensor) -> float:
        x = counts.double()
        return float((x - x.mean()).abs().sum() / (2 * x.sum()))


class Gini(Metric):
    """The mean difference between two points' N_k over twice their mean (Gini, 1912). Lower is better.

    counts [n] -> scalar in [0, 1); all n^2 pairs count.
    """

    better: ClassVar[str] = "lower"

    def __call__(self, counts: Tensor) -> float:
        x, n = counts.double().sort().values, len(counts)
        rank = torch.arange(1, n + 1, device=x.device)
        return float(((2 * rank - n - 1) * x).sum() / (n * x.sum()))


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [RobinHood, Gini]
