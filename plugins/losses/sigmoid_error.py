"""The pairwise sigmoid loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.stock.losses._leads import over_alternatives

from harness import Loss, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class SigmoidError(Loss):
    """sum_{j != y} (1 - sigmoid(s_y - s_j)), a smooth count of the classes ahead of the label.

    [batch, classes], [batch] -> [batch] in [0, classes - 1]; float32 for half logits. A baseline of Karpukhin, Dereka &
    Kolesnikov (2022); two classes give `expected_error` over `softmax`. Its gradient vanishes for large leads of either
    sign.
    """

    tasks: ClassVar = ("classes",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return over_alternatives(lambda lead: (-lead).sigmoid(), logits, target)


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [SigmoidError]
