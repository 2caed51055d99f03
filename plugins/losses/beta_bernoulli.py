"""The Beta-Bernoulli loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from torch.nn.functional import logsigmoid

from harness import Loss, UnitInterval, hookimpl

from ._leads import over_alternatives

if TYPE_CHECKING:
    from torch import Tensor


class BetaBernoulli(Loss):
    """Pairwise logistic loss robust to outliers (Karpukhin et al., 2022).

    -sum_{j != y} log(w theta + (1 - w) sigmoid(s_y - s_j)). Logits [batch, classes], labels [batch] -> [batch], nats,
    in float32 or wider. A share `w` of the pairs is right with probability `theta` whatever the logits, so no pair
    costs more than -log(w theta). A baseline of Karpukhin, Dereka and Kolesnikov (2022), where both are learned:
    `{w: {learn: 0.5}, theta: {learn: 0.5}}`. The loss is then least, 0 whatever the logits, where both reach 1; hence
    the defaults are fixed numbers.
    """

    reference = """
    @misc{karpukhin2022exact, author = {Karpukhin, Ivan and Dereka, Stanislav and Kolesnikov, Sergey}, title =
      {{EXACT}: How to Train Your Accuracy}, eprint = {2205.09615}, archiveprefix = {arXiv}, year = {2022}}"""

    tasks: ClassVar = ("classes",)
    w: UnitInterval = 0.5
    theta: UnitInterval = 0.5

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return over_alternatives(self._surprise, logits, target)

    def _surprise(self, lead: Tensor) -> Tensor:
        shares = [self.w * self.theta, 1 - self.w]
        outlier, honest = (torch.as_tensor(s, dtype=lead.dtype, device=lead.device).log() for s in shares)
        # In logarithms: sigmoid underflows where w is 0 and no other term is left.
        return -torch.logaddexp(outlier, honest + logsigmoid(lead))


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [BetaBernoulli]
