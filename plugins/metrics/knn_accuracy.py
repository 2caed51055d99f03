"""Accuracy of the nearest neighbours' vote."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class KNNAccuracy(Metric):
    """The share of points whose k nearest others vote for their class; of tied classes the first. Higher is better.

    neighbours [n, k], labels [n] -> scalar in [0, 1]; nothing where points have no classes. Every point is left out of
    its own vote (Fix and Hodges, 1951).
    """

    better: ClassVar[str] = "higher"

    def __call__(self, neighbours: Tensor, labels: Tensor | None) -> float | None:
        if labels is None:
            return None
        votes = torch.nn.functional.one_hot(labels)[neighbours].sum(1).cpu().numpy()
        return float((votes.argmax(1) == labels.cpu().numpy()).mean())


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [KNNAccuracy]
