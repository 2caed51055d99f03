"""Focal loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Loss, NonNegative, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Focal(Loss):
    """Down-weights examples that are already right (Lin et al., 2017).

    -(1 - p_y)^gamma log p_y. Logits [batch, classes], labels [batch] -> [batch], nats. gamma = 0 is cross-entropy.
    A logit of -inf masks its class.
    """

    reference = r"""
    @inproceedings{lin2017focal, author = {Lin, Tsung-Yi and Goyal, Priya and Girshick, Ross and He, Kaiming and
      Doll{\'a}r, Piotr}, title = {Focal Loss for Dense Object Detection}, booktitle = {IEEE International
      Conference on Computer Vision}, year = {2017}}"""

    tasks: ClassVar = ("classes",)
    gamma: NonNegative = 2.0

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        column = target[:, None]
        log_p = torch.log_softmax(logits, -1)
        # log(1 - p_y) from the other classes: the power and its gradient stay finite where p_y rounds to 1.
        # Finite, so that it has a gradient where every other class is masked (-inf).
        others = log_p.scatter(-1, column, -torch.inf).clamp(min=torch.finfo(log_p.dtype).min)
        log_rest = others.logsumexp(-1)
        return -torch.exp(self.gamma * log_rest) * log_p.gather(-1, column)[:, 0]


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [Focal]
