"""Accuracy of classification by the nearest neighbors."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class KNNAccuracy(Metric):
    """Share of points whose k nearest others vote for their class.

    Of tied classes the first wins. Higher is better. neighbors [n, k], labels [n] -> scalar in [0, 1]; None where
    points have no classes. Every point is left out of its own vote (Fix and Hodges, 1951).
    """

    higher_is_better: ClassVar[bool | None] = True

    def __call__(self, neighbors: Tensor, labels: Tensor | None) -> float | None:
        if labels is None:
            return None
        votes = torch.nn.functional.one_hot(labels)[neighbors].sum(1).cpu().numpy()
        return float((votes.argmax(1) == labels.cpu().numpy()).mean())


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [KNNAccuracy]
