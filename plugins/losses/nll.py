"""Negative log-likelihood over any transform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Loss, hookimpl

from ._over import Over

if TYPE_CHECKING:
    from torch import Tensor


class NLL(Over):
    """Negative log-likelihood of the label under any transform.

    -log p_y with p the `transform` of the logits; over `softmax` it is cross-entropy. Logits [batch, classes], labels
    [batch] -> [batch], nats. Infinite where the transform gives the label probability 0.
    """

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return -self.transform.log(logits).gather(-1, target[:, None])[:, 0]


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [NLL]
