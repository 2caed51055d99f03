"""Asymmetric loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
import torch.nn.functional as F

from harness import Loss, NonNegative, UnitInterval, hookimpl

from ._multilabel import scores_and_targets

if TYPE_CHECKING:
    from torch import Tensor


class Asymmetric(Loss):
    """Forgives easy negatives more than easy positives (Ridnik et al., 2021).

    A focal loss for many labels with p = sigmoid(logits) and r = max(p - clip, 0):
    -sum_i (t_i (1 - p_i)^gamma_pos log p_i + (1 - t_i) r_i^gamma_neg log(1 - r_i)).
    A negative with p below `clip` counts for nothing. Logits [batch, labels], target in [0, 1] [batch, labels] ->
    [batch], nats. The gradient flows through the powers. With clip = 0 and equal gammas it is `focal_bce`, with gammas
    of 0 `bce`. A very low logit masks a label whose target is 0.
    """

    reference = """
    @inproceedings{ridnik2021asymmetric, author = {Ridnik, Tal and Ben-Baruch, Emanuel and Zamir, Nadav and Noy,
      Asaf and Friedman, Itamar and Protter, Matan and Zelnik-Manor, Lihi}, title = {Asymmetric Loss for
      Multi-Label Classification}, booktitle = {IEEE/CVF International Conference on Computer Vision}, year =
      {2021}}"""

    gamma_pos: NonNegative = 0.0
    gamma_neg: NonNegative = 4.0
    clip: UnitInterval = 0.05
    tasks: ClassVar = ("multilabel",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        s, t = scores_and_targets(logits, target)
        log_rest = F.logsigmoid(-s)
        on = (self.gamma_pos * log_rest).exp() * F.logsigmoid(s)
        clip = torch.as_tensor(self.clip, dtype=s.dtype, device=s.device)
        # 1 - r is (1 - p) + clip, at most 1: taken from r it would be 0 where p rounds to 1.
        log_kept = torch.logaddexp(log_rest, clip.log()).clamp(max=0)
        off = torch.relu(s.sigmoid() - clip) ** self.gamma_neg * log_kept
        return -(t * on + (1 - t) * off).sum(-1)


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [Asymmetric]
