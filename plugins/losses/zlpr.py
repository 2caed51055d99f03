"""Zero-bounded log-sum-exp and pairwise rank-based loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
import torch.nn.functional as F
from harness.stock.losses._multilabel import log1p_sum_exp, scores_and_targets
from harness.stock.losses._scores import FLOOR, finite

from harness import Loss, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class ZLPR(Loss):
    """log(1 + sum_off exp(s_i)) + log(1 + sum_on exp(-s_i)): softmax cross-entropy for many labels (Su et al., 2022).

    Multi-label: [batch, labels], target [batch, labels] -> [batch], nats; a label is on where its target is above 1/2.
    Labels with s > 0 are predicted. Each of the two groups pulls with less than 1 in all, however many labels it has.
    With a threshold class of score s_0 in place of 0 it is this loss of s - s_0; without any threshold it is `choose_k`
    of one swap. A logit of -inf or far below masks its label where the target is 0.
    """

    tasks: ClassVar = ("multilabel",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        s, t = scores_and_targets(logits, target)
        on = t > 0.5
        return log1p_sum_exp(torch.where(on, FLOOR, s)) + log1p_sum_exp(torch.where(on, -s, FLOOR))

    def of_indices(self, logits: Tensor, positives: Tensor) -> Tensor:
        """The same with the labels that are on given by number, for very many labels: no dense target is made.

        [..., labels], int64 [..., k] -> [...]. Each number at most once in a row, and -1 where a row has fewer than k.
        """
        s = F.pad(finite(logits), (1, 0), value=FLOOR)  # a first column for the padding to point at
        column = positives + 1
        # Taken out and not subtracted: log(sum of all - sum of those on) has no digits left where the latter dominate.
        off = s.scatter(-1, column, FLOOR)
        on = torch.where(positives >= 0, -s.gather(-1, column), FLOOR)
        return log1p_sum_exp(off) + log1p_sum_exp(on)


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [ZLPR]
