"""Softmax."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import Transform, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Softmax(Transform):
    """p_i proportional to exp(logit_i): the distribution of the argmax under Gumbel noise.

    [..., n] -> [..., n]. Unchanged by adding a constant to every logit. `log` stays finite where p underflows to 0.
    """

    def __call__(self, logits: Tensor) -> Tensor:
        return torch.softmax(logits, -1)

    def log(self, logits: Tensor) -> Tensor:
        """(logits [..., n]) -> log-probabilities [..., n], finite for finite logits."""
        return torch.log_softmax(logits, -1)


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [Softmax]
