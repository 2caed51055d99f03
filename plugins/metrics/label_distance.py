"""Distance of predicted distributions from soft labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class LabelDistance(Metric):
    """Total variation between a prediction and its label.

    Half the sum of |p_j - t_j|, in [0, 1]: 0 only where the prediction is the label. Lower is better; no unit.
    probabilities [..., n, classes], target [..., n] or soft [..., n, classes] -> [..., n]. A class number is the label
    that is all on its class.
    """

    tasks: ClassVar = ("classes", "grouped")
    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, probabilities: Tensor, target: Tensor) -> Tensor:
        if not target.is_floating_point():
            # Not one_hot: it cannot be mapped over seeds.
            target = target[..., None] == torch.arange(probabilities.shape[-1], device=probabilities.device)
        return (probabilities - target.to(probabilities.dtype)).abs().sum(-1) / 2


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [LabelDistance]
