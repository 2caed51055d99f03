"""Indices of inequality, as used in economics, of the counts N_k of points as neighbors."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class RobinHood(Metric):
    """Share of neighbor occurrences to move for all points to have as many.

    The Hoover index (Hoover, 1936). Lower is better. counts [n] -> half the sum of |N_k - mean| over the sum of N_k, in
    [0, 1). Not heavy-tailed, unlike skewness.
    """

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, counts: Tensor) -> float:
        x = counts.double()
        return float((x - x.mean()).abs().sum() / (2 * x.sum()))


class Gini(Metric):
    """Gini coefficient of the neighbor counts (Gini, 1912).

    The mean difference between two points' N_k over twice their mean. Lower is better. counts [n] -> scalar in [0, 1);
    all n^2 pairs count.
    """

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, counts: Tensor) -> float:
        x, n = counts.double().sort().values, len(counts)
        rank = torch.arange(1, n + 1, device=x.device)
        return float(((2 * rank - n - 1) * x).sum() / (n * x.sum()))


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [RobinHood, Gini]
