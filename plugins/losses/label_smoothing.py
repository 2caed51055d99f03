"""Cross-entropy with smoothed labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Loss, UnitInterval, hookimpl

from ._scores import wide

if TYPE_CHECKING:
    from torch import Tensor


class LabelSmoothing(Loss):
    """Cross-entropy against smoothed labels (Szegedy et al., 2016).

    The target is (1 - epsilon) of the label and epsilon spread evenly over all classes. Logits [batch, classes], labels
    [batch] -> [batch], nats. epsilon = 0 is cross-entropy. A logit of -inf masks its class, which gets no share.
    """

    reference = """
    @inproceedings{szegedy2016rethinking, author = {Szegedy, Christian and Vanhoucke, Vincent and Ioffe, Sergey and
      Shlens, Jonathon and Wojna, Zbigniew}, title = {Rethinking the Inception Architecture for Computer
      Vision}, booktitle = {IEEE Conference on Computer Vision and Pattern Recognition}, year = {2016}}"""

    tasks: ClassVar = ("classes",)
    epsilon: UnitInterval = 0.1

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        log_p = torch.log_softmax(logits, -1)
        right = log_p.gather(-1, target[:, None])[:, 0]
        masked = logits == -torch.inf
        # In float32 or wider: the sum over many classes exceeds the range of float16.
        evenly = wide(log_p.masked_fill(masked, 0.0)).sum(-1) / (~masked).sum(-1)
        return -(1 - self.epsilon) * right - self.epsilon * evenly.to(log_p.dtype)


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [LabelSmoothing]
