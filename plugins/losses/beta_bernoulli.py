"""The Beta-Bernoulli loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from harness.stock.losses._leads import over_alternatives
from torch.nn.functional import logsigmoid

from harness import Loss, Unit, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class BetaBernoulli(Loss):
    """-sum_{j != y} log(w theta + (1 - w) sigmoid(s_y - s_j)): pairwise logistic losses with outliers allowed for.

    [batch, classes], [batch] -> [batch], nats; float32 for half logits. A share `w` of the pairs is right with a chance
    `theta` whatever the logits, so that no pair costs more than -log(w theta). A baseline of Karpukhin, Dereka &
    Kolesnikov (2022), who learn both: `{w: {learn: 0.5}, theta: {learn: 0.5}}`. The loss is then least, 0 whatever the
    logits, where both reach 1; hence numbers by default.
    """

    tasks: ClassVar = ("classes",)
    w: Unit = 0.5
    theta: Unit = 0.5

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return over_alternatives(self._surprise, logits, target)

    def _surprise(self, lead: Tensor) -> Tensor:
        shares = [self.w * self.theta, 1 - self.w]
        outlier, honest = (torch.as_tensor(s, dtype=lead.dtype, device=lead.device).log() for s in shares)
        # A sum of logarithms: sigmoid underflows where w is 0 and nothing else is there.
        return -torch.logaddexp(outlier, honest + logsigmoid(lead))


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [BetaBernoulli]
