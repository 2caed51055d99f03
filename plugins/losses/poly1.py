"""PolyLoss with one changed coefficient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import torch

from harness import Loss, Only, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Poly1(Loss):
    """-log p_y + epsilon (1 - p_y): cross-entropy with its leading term in 1 - p_y changed (Leng et al., 2022).

    [batch, classes], [batch] -> [batch], nats; p is softmax. epsilon = 0 is cross-entropy, a positive one adds so much
    of `expected_error`; below -1 the loss would rise again as p_y goes to 1.
    """

    tasks: ClassVar = ("classes",)
    epsilon: Annotated[float, Only(least=-1)] = 2.0

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        log_p = torch.log_softmax(logits, -1).gather(-1, target[:, None])[:, 0]
        return -log_p - self.epsilon * log_p.expm1()


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [Poly1]
