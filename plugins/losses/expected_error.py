"""Smooth error rate over any transform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stock.losses._over import Over

from harness import Loss, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class ExpectedError(Over):
    """1 - p_y, the chance of a wrong answer drawn from p = `transform` of the logits: a smooth error rate.

    [batch, classes], [batch] -> [batch] in [0, 1]. Its gradient vanishes where p_y is near 0 as well as near 1.
    """

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        p: Tensor = self.transform(logits)
        return 1 - p.gather(-1, target[:, None])[:, 0]


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [ExpectedError]
