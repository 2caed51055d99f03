"""Brier score as a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import Loss, hookimpl

from ._over import Over

if TYPE_CHECKING:
    from torch import Tensor


class Brier(Over):
    """Squared distance between the prediction and the label (Brier, 1950).

    sum_j (p_j - [j = y])^2 with p the `transform` of the logits. Logits [batch, classes], labels [batch] -> [batch] in
    [0, 2].
    """

    reference = """
    @article{brier1950, author = {Brier, Glenn W.}, title = {Verification of Forecasts Expressed in Terms of
      Probability}, journal = {Monthly Weather Review}, volume = {78}, number = {1}, pages = {1--3}, year =
      {1950}}"""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        p: Tensor = self.transform(logits)
        # Not one_hot: it cannot be mapped over seeds.
        label = target[:, None] == torch.arange(p.shape[-1], device=p.device)
        return (p - label.to(p.dtype)).square().sum(-1)


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [Brier]
