"""The pairwise sigmoid loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Loss, hookimpl

from ._leads import over_alternatives

if TYPE_CHECKING:
    from torch import Tensor


class SigmoidError(Loss):
    """Smooth count of the classes ahead of the label (Karpukhin et al., 2022).

    sum_{j != y} (1 - sigmoid(s_y - s_j)). Logits [batch, classes], labels [batch] -> [batch] in [0, classes - 1]; in
    float32 or wider. A baseline of Karpukhin, Dereka and Kolesnikov (2022); for two classes it is `expected_error` over
    `softmax`. The gradient vanishes for large differences of either sign.
    """

    reference = """
    @misc{karpukhin2022exact, author = {Karpukhin, Ivan and Dereka, Stanislav and Kolesnikov, Sergey}, title =
      {{EXACT}: How to Train Your Accuracy}, eprint = {2205.09615}, archiveprefix = {arXiv}, year = {2022}}"""

    tasks: ClassVar = ("classes",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return over_alternatives(lambda lead: (-lead).sigmoid(), logits, target)


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [SigmoidError]
