"""Focal loss of every label."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch.nn.functional as F

from harness import Loss, NonNegative, UnitInterval, hookimpl

from ._multilabel import scores_and_targets

if TYPE_CHECKING:
    from torch import Tensor


class FocalBCE(Loss):
    """Binary cross-entropy that down-weights easy labels (Lin et al., 2017).

    -sum_i (1 - q_i)^gamma log q_i, where q_i is the probability given to the true state of label i (Lin et al., 2017,
    eq. 4 and 5). Logits [batch, labels], target [batch, labels] -> [batch], nats. q is p = sigmoid(logits) where the
    label is on and 1 - p where it is off; a target in between weighs the two. `alpha` weighs labels that are on, 1 -
    alpha those that are off; null weighs both 1, and with gamma = 0 that is `bce`. A very low logit masks a label whose
    target is 0.
    """

    reference = r"""
    @inproceedings{lin2017focal, author = {Lin, Tsung-Yi and Goyal, Priya and Girshick, Ross and He, Kaiming and
      Doll{\'a}r, Piotr}, title = {Focal Loss for Dense Object Detection}, booktitle = {IEEE International
      Conference on Computer Vision}, year = {2017}}"""

    gamma: NonNegative = 2.0
    alpha: UnitInterval | None = None
    tasks: ClassVar = ("multilabel",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        s, t = scores_and_targets(logits, target)
        log_p, log_rest = F.logsigmoid(s), F.logsigmoid(-s)
        # Powers as exponentials: their gradients stay finite where p rounds to 0 or 1, for any gamma.
        on = t * (self.gamma * log_rest).exp() * log_p
        off = (1 - t) * (self.gamma * log_p).exp() * log_rest
        return -(on + off if self.alpha is None else self.alpha * on + (1 - self.alpha) * off).sum(-1)


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [FocalBCE]
