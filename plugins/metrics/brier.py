"""Brier score as a metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Brier(Metric):
    """Squared distance between prediction and label (Brier, 1950).

    sum_j (p_j - [j = y])^2, in [0, 2]. Lower is better; no unit; unbiased. probabilities [..., n, classes], target
    [..., n] -> [..., n]. For two classes it is twice the one-column form.
    """

    reference = """
    @article{brier1950, author = {Brier, Glenn W.}, title = {Verification of Forecasts Expressed in Terms of
      Probability}, journal = {Monthly Weather Review}, volume = {78}, number = {1}, pages = {1--3}, year =
      {1950}}"""

    tasks: ClassVar = ("classes",)
    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, probabilities: Tensor, target: Tensor) -> Tensor:
        # Not one_hot: it cannot be mapped over seeds.
        label = target[..., None] == torch.arange(probabilities.shape[-1], device=probabilities.device)
        return (probabilities - label.to(probabilities.dtype)).square().sum(-1)


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [Brier]
