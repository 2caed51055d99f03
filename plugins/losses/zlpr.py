"""Zero-bounded log-sum-exp and pairwise rank-based loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
import torch.nn.functional as F

from harness import Loss, hookimpl

from ._multilabel import log1p_sum_exp, scores_and_targets
from ._scores import FLOOR, finite

if TYPE_CHECKING:
    from torch import Tensor


class ZLPR(Loss):
    """Softmax cross-entropy generalized to many labels (Su et al., 2022).

    log(1 + sum_off exp(s_i)) + log(1 + sum_on exp(-s_i)). Logits [batch, labels], target [batch, labels] -> [batch],
    nats; a label is on where its target is above 1/2. Labels with s > 0 are predicted. The gradient of each of the two
    groups sums to less than 1, however many labels it has. With a threshold class of score s_0 in place of 0 it is this
    loss of s - s_0; without any threshold it is `choose_k` of one swap. A logit of -inf or far below masks its label
    where the target is 0.
    """

    reference = """
    @misc{su2022zlpr, author = {Su, Jianlin and Zhu, Mingren and Murtadha, Ahmed and Pan, Shengfeng and Wen, Bo and
      Liu, Yunfeng}, title = {{ZLPR}: A Novel Loss for Multi-Label Classification}, eprint = {2208.02955},
      archiveprefix = {arXiv}, year = {2022}}"""

    tasks: ClassVar = ("multilabel",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        s, t = scores_and_targets(logits, target)
        on = t > 0.5
        return log1p_sum_exp(torch.where(on, FLOOR, s)) + log1p_sum_exp(torch.where(on, -s, FLOOR))

    def of_indices(self, logits: Tensor, positives: Tensor) -> Tensor:
        """The loss from the numbers of the labels that are on, without a dense target, for very many labels.

        [..., labels], int64 [..., k] -> [...]. Each number occurs at most once in a row; -1 pads rows with fewer than
        k.
        """
        s = F.pad(finite(logits), (1, 0), value=FLOOR)  # a first column for padding indices
        column = positives + 1
        # Masked and not subtracted: log(sum of all - sum of those on) cancels where the latter dominate.
        off = s.scatter(-1, column, FLOOR)
        on = torch.where(positives >= 0, -s.gather(-1, column), FLOOR)
        return log1p_sum_exp(off) + log1p_sum_exp(on)


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [ZLPR]
