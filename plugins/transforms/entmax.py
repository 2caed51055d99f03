"""Entmax."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Positive, Transform, hookimpl

from ._along import Along
from ._argmax import log_softmax
from ._tsallis import log_entmax

if TYPE_CHECKING:
    from torch import Tensor


class Entmax(Along):
    """Sparse softmax with a tunable degree of sparsity (Peters et al., 2019).

    p_i = [(alpha - 1) logit_i - tau]_+^(1 / (alpha - 1)) with tau such that they sum to 1. Logits [..., n] ->
    probabilities [..., n], the p that maximizes <p, logits> plus its Tsallis entropy. alpha = 1 is softmax, 2
    sparsemax. Above 1 distant classes get exactly 0 and no gradient, below 1 they get more than under softmax. The
    gradient in a learned `alpha` (Correia et al., 2019) is continuous at 1. Train it with `entmax_loss`, not `nll`.
    """

    reference = r"""
    @inproceedings{peters2019sparse, author = {Peters, Ben and Niculae, Vlad and Martins, Andr{\'e} F. T.}, title =
      {Sparse Sequence-to-Sequence Models}, booktitle = {Annual Meeting of the Association for Computational
      Linguistics}, year = {2019}}
    @inproceedings{correia2019adaptively, author = {Correia, Gon{\c{c}}alo M. and Niculae, Vlad and Martins,
      Andr{\'e} F. T.}, title = {Adaptively Sparse Transformers}, booktitle = {Conference on Empirical Methods
      in Natural Language Processing}, year = {2019}}"""

    alpha: Positive = 1.5

    def probabilities(self, rows: Tensor) -> Tensor:
        """Probabilities, to rounding: [r, n] -> [r, n]."""
        return rows.softmax(-1) if self._is_softmax else log_entmax(rows, self.alpha).exp()

    def log_probabilities(self, rows: Tensor) -> Tensor:
        """Log-probabilities, -inf outside the support: [r, n] -> [r, n]."""
        return log_softmax(rows) if self._is_softmax else log_entmax(rows, self.alpha)

    @property
    def _is_softmax(self) -> bool:
        return isinstance(self.alpha, float) and self.alpha == 1


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [Entmax]
