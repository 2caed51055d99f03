"""Negative log-likelihood over any transform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stock.losses._over import Over

from harness import Loss, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class NLL(Over):
    """-log p_y, where p is `transform` of the logits; over `softmax` it is cross-entropy.

    [batch, classes], [batch] -> [batch], nats. Infinite where the transform gives the label probability 0.
    """

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return -self.transform.log(logits).gather(-1, target[:, None])[:, 0]


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [NLL]
