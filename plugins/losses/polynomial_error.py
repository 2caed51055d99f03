"""The pairwise cubic loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Loss, hookimpl

from ._leads import over_alternatives

if TYPE_CHECKING:
    from torch import Tensor


class PolynomialError(Loss):
    """Pairwise error count with cubic steps (Karpukhin et al., 2022).

    sum_{j != y} (d^3 / 4 - 3 d / 4 + 1 / 2) with d = s_y - s_j clipped to [-1, 1]. Logits [batch, classes], labels
    [batch] -> [batch] in [0, classes - 1]; in float32 or wider. A baseline of Karpukhin, Dereka and Kolesnikov (2022).
    Each step falls from 1 at d = -1 to 0 at d = 1 and has no gradient outside, so an example wrong by more than 1 has
    none.
    """

    reference = """
    @misc{karpukhin2022exact, author = {Karpukhin, Ivan and Dereka, Stanislav and Kolesnikov, Sergey}, title =
      {{EXACT}: How to Train Your Accuracy}, eprint = {2205.09615}, archiveprefix = {arXiv}, year = {2022}}"""

    tasks: ClassVar = ("classes",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return over_alternatives(_step, logits, target)


def _step(lead: Tensor) -> Tensor:
    d = lead.clamp(-1, 1)
    return (1 - d).square() * (2 + d) / 4  # the same cubic, never negative


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [PolynomialError]
