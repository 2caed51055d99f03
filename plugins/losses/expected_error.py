"""Smooth error rate over any transform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Loss, hookimpl

from ._over import Over

if TYPE_CHECKING:
    from torch import Tensor


class ExpectedError(Over):
    """Probability of a wrong answer drawn from the predicted distribution.

    1 - p_y with p the `transform` of the logits: a smooth error rate. Logits [batch, classes], labels [batch] ->
    [batch] in [0, 1]. The gradient vanishes where p_y is near 0 as well as near 1.
    """

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        p: Tensor = self.transform(logits)
        return 1 - p.gather(-1, target[:, None])[:, 0]


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [ExpectedError]
