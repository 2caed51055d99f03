"""Spherical softmax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Positive, Transform, hookimpl

from ._along import Along
from ._argmax import log_softmax

if TYPE_CHECKING:
    from torch import Tensor


class Spherical(Along):
    """Squared logits, normalized to sum to 1 (de Brebisson and Vincent, 2016).

    (logit_i^2 + eps) / sum_j (logit_j^2 + eps). Logits [..., n] -> probabilities [..., n], never 0 thanks to `eps`. A
    positive factor on the logits changes nothing but for `eps`; a constant added to them does. Signs do not matter, so
    the order is kept only among logits of at least 0.
    """

    reference = r"""
    @inproceedings{debrebisson2016spherical, author = {de Br{\'e}bisson, Alexandre and Vincent, Pascal}, title = {An
      Exploration of Softmax Alternatives Belonging to the Spherical Loss Family}, booktitle = {International
      Conference on Learning Representations}, year = {2016}}"""

    eps: Positive = 1e-6
    shifts: ClassVar[bool] = False
    properties: ClassVar[Sequence[str]] = ()

    def probabilities(self, rows: Tensor) -> Tensor:
        """Probabilities: [r, n] -> [r, n]."""
        return self._log_squares(rows).softmax(-1)

    def log_probabilities(self, rows: Tensor) -> Tensor:
        """Log-probabilities: [r, n] -> [r, n]."""
        return log_softmax(self._log_squares(rows))

    def _log_squares(self, rows: Tensor) -> Tensor:
        masked = rows == -torch.inf
        root = torch.as_tensor(self.eps, dtype=rows.dtype, device=rows.device).sqrt()
        squares = 2 * torch.hypot(rows.masked_fill(masked, 0.0), root).log()  # a square itself could overflow
        return squares.masked_fill(masked, -torch.inf)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [Spherical]
