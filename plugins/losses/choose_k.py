"""Softmax cross-entropy over label sets of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
import torch.nn.functional as F

from harness import Loss, PositiveInt, hookimpl

from ._multilabel import scores_and_targets
from ._scores import FLOOR

if TYPE_CHECKING:
    from torch import Tensor


class ChooseK(Loss):
    """Softmax cross-entropy over label sets of the target's size (Su, 2020).

    -log softmax of the target among all sets of k labels, where k is the target's own number of labels (Su, 2020,
    kexue.fm/archives/7359). Logits [batch, labels], target [batch, labels] -> [batch], nats. A label is on where its
    target is above 1/2; the score of a set is the sum of its logits. It learns a ranking only: a constant added to all
    logits changes nothing, and there is no threshold.

    `swaps` restricts the sum to sets that swap at most so many labels of the target for others, which is cheaper; from
    the largest k on it covers all sets. 1 is log(1 + sum_off exp(s_i) sum_on exp(-s_j)). null is no limit, at time and
    memory of O(labels^2) per example. A very low logit masks a label whose target is 0.
    """

    swaps: PositiveInt | None = None
    tasks: ClassVar = ("multilabel",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        s, t = scores_and_targets(logits, target)
        on = t > 0.5
        # A set of size k leaves out r labels that are on and includes r others. Summed over r in this form, no terms
        # cancel, the target itself is the 1 at r = 0, and k need not be known.
        groups = torch.stack([torch.where(on, FLOOR, s), torch.where(on, -s, FLOOR)])
        return _log_symmetric(groups, self.swaps or s.shape[-1]).sum(0).logsumexp(-1)


def _log_symmetric(scores: Tensor, most: int) -> Tensor:
    """Logarithms of the elementary symmetric polynomials e_0, ..., e_most of exp(s): [..., n] -> [..., most + 1].

    They are the coefficients of prod_i (1 + exp(s_i) x), multiplied out factor by factor.
    """
    if most == 1:
        return torch.stack([torch.zeros_like(scores[..., 0]), scores.logsumexp(-1)], -1)
    coefficients = torch.zeros_like(scores[..., :1])
    for score in scores[..., None].unbind(-2):
        without, taken = F.pad(coefficients, (0, 1), value=FLOOR), F.pad(coefficients + score, (1, 0), value=FLOOR)
        coefficients = torch.logaddexp(without, taken)[..., : most + 1]
    return coefficients


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [ChooseK]
