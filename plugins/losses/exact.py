"""EXACT: the expected accuracy of an argmax under noise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

import torch

from harness import Loss, NonNegative, Positive, Transform, hookimpl, named

from ._scores import divided, wide
from ._standard import standardized

if TYPE_CHECKING:
    from torch import Tensor

CERTAIN = 20.0
"""A lead of so many temperatures is lost with probability 1e-45; a larger one need not be distinguished from it."""


class Exact(Loss):
    """One minus expected accuracy under normal noise (Karpukhin et al., 2022).

    1 - P(the label's logit is the largest) under normal noise on every logit (Karpukhin, Dereka and Kolesnikov, 2022).
    Logits [batch, classes], labels [batch] -> [batch] in [0, 1]; for `aggregate: meanlog` -log P in nats, for `logmean`
    one number for the whole batch, minus the logarithm of the mean of P; in float32 or wider. In this order:
    `standardize` shifts and scales the whole batch of logits by one mean and one deviation; `margin` caps the
    differences s_y - s_j; `temperature` is the deviation of the noise. So P = E_z prod_{j != y} Phi(z + min(s_y - s_j,
    margin) / temperature), z normal. It is computed in O(classes) and to rounding, where the publication samples in
    O(classes^2).

    The gradient of `mean` vanishes where P is near 0: an example 10 temperatures behind has P = 8e-13. The remedy is a
    decreasing or learned temperature together with `normalize_gradient`, or `meanlog`, which needs no floor under P
    here (the publication's is 1e-6). The gradient of `logmean` is that of `mean` over the mean of P, so both differ in
    the length of a step alone. Without a margin this is `expected_error`, or `nll`, over `gaussian` at that scale;
    `transform` gives the same under other noise.
    """

    reference = """
    @misc{karpukhin2022exact, author = {Karpukhin, Ivan and Dereka, Stanislav and Kolesnikov, Sergey}, title =
      {{EXACT}: How to Train Your Accuracy}, eprint = {2205.09615}, archiveprefix = {arXiv}, year = {2022}}"""

    tasks: ClassVar = ("classes",)
    temperature: Positive = 1.0
    margin: NonNegative | None = None
    standardize: bool = False
    aggregate: Literal["mean", "meanlog", "logmean"] = "mean"
    transform: Transform = named("gaussian")

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        column = target[:, None]
        scores = self._scores(logits)
        noisy = divided(scores, self.temperature) if self.margin is None else self._behind(scores, column, self.margin)
        if self.aggregate != "mean":
            log_p = self.transform.log(noisy).gather(-1, column)[:, 0]
            return -log_p if self.aggregate == "meanlog" else math.log(len(log_p)) - log_p.logsumexp(0)
        p: Tensor = self.transform(noisy)
        return 1 - p.gather(-1, column)[:, 0]

    def probabilities(self, logits: Tensor) -> Tensor:
        """Probability of every class [..., classes] without a margin; `standardize` acts on all logits given."""
        p: Tensor = self.transform(self._scores(logits) / self.temperature)
        return p

    def log_probabilities(self, logits: Tensor) -> Tensor:
        """Logarithm of `probabilities`."""
        return self.transform.log(self._scores(logits) / self.temperature)

    def _scores(self, logits: Tensor) -> Tensor:
        scores = wide(logits)
        return standardized(scores) if self.standardize else scores

    def _behind(self, scores: Tensor, column: Tensor, margin: float | Tensor) -> Tensor:
        """Negated capped leads in temperatures [batch, classes]: logits under noise of scale 1, the label's at 0."""
        masked = scores == -torch.inf
        kept = scores.masked_fill(masked, 0.0)
        leads = (kept.gather(-1, column) - kept).clamp(max=margin)
        return (-leads / self.temperature).clamp(min=-CERTAIN).masked_fill(masked, -torch.inf)


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [Exact]
