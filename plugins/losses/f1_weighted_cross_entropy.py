"""Cross-entropy weighted by the F1 that it has reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from annotated_types import Ge

from harness import Loss, hookimpl

from ._scores import wide

if TYPE_CHECKING:
    from torch import Tensor


class F1WeightedCrossEntropy(Loss):
    """Cross-entropy with class weights by the smooth F1 of one (Su, 2020).

    w_y -log p_y with w = 1 - F / 2 for the class `positive` and F / 2 for all others, where F = 2 sum(t p) / sum(t + p)
    is the smooth F1 of that class in the batch, without gradient; p is softmax. Logits [batch, classes], labels [batch]
    -> [batch], nats; in float32 or wider. Its gradient is that of -F, up to a factor, with -log p in place of -p and
    log(1 - p) in place of p. A batch without a positive has no F1 and the weights 1/2. Source:
    kexue.fm/archives/7708, equation 7.
    """

    tasks: ClassVar = ("classes",)
    own_gradient: ClassVar[bool] = True
    positive: Annotated[int, Ge(0)] = 1

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        log_p = wide(logits).log_softmax(-1)
        is_positive = (target == self.positive).to(log_p.dtype)
        p = log_p.detach()[:, self.positive].exp()
        f1 = 2 * (is_positive * p).sum() / (is_positive + p).sum().clamp(min=torch.finfo(p.dtype).tiny)
        f1 = torch.where(is_positive.sum() > 0, f1, 1.0)
        weight = torch.where(is_positive > 0, 1 - f1 / 2, f1 / 2)
        return -weight * log_p.gather(-1, target[:, None])[:, 0]


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [F1WeightedCrossEntropy]
