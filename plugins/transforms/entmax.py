"""Entmax."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stock.transforms._along import Along
from harness.stock.transforms._argmax import log_softmax
from harness.stock.transforms._tsallis import log_entmax

from harness import Positive, Transform, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Entmax(Along):
    """p_i = [(alpha - 1) logit_i - tau]_+^(1 / (alpha - 1)), tau such that they sum to 1 (Peters et al., 2019).

    [..., n] -> [..., n], the p that maximises <p, logits> plus its Tsallis entropy. alpha = 1 is softmax, 2 sparsemax.
    Above 1 far classes get exactly 0 and no gradient, below 1 they get more than under softmax. The gradient in a
    learned `alpha` (Correia et al., 2019) goes through 1 without a break. Train it with `entmax_loss`, not `nll`.
    """

    alpha: Positive = 1.5

    def probabilities(self, rows: Tensor) -> Tensor:
        """[r, n] -> [r, n], to rounding."""
        return rows.softmax(-1) if self._is_softmax else log_entmax(rows, self.alpha).exp()

    def log_probabilities(self, rows: Tensor) -> Tensor:
        """[r, n] -> [r, n]; -inf outside the support."""
        return log_softmax(rows) if self._is_softmax else log_entmax(rows, self.alpha)

    @property
    def _is_softmax(self) -> bool:
        return isinstance(self.alpha, float) and self.alpha == 1


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [Entmax]
