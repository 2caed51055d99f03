"""Softmax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from harness.stock.transforms._argmax import Argmax, log_softmax, reverse_gumbel

from harness import Transform, hookimpl

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Softmax(Argmax):
    """p_i proportional to exp(logit_i / scale): the distribution of the argmax under Gumbel noise times `scale`.

    [..., n] -> [..., n]. Unchanged by adding a constant to every logit. `log` stays finite where p underflows to 0.
    With `scale` = 1 it is torch.softmax and nothing else.
    """

    def __call__(self, logits: Tensor, dim: int = -1) -> Tensor:
        """(logits [..., n]) -> probabilities [..., n] along `dim`."""
        # torch's own at the scale that almost everybody uses: as fast as it gets, and the yardstick of the others
        return torch.softmax(logits, dim) if self._is_plain else super().__call__(logits, dim)

    def log(self, logits: Tensor, dim: int = -1) -> Tensor:
        """(logits [..., n]) -> log-probabilities [..., n] along `dim`, finite for finite logits."""
        return torch.log_softmax(logits, dim) if self._is_plain else super().log(logits, dim)

    @property
    def _is_plain(self) -> bool:
        return isinstance(self.scale, float) and self.scale == 1

    def log_of_standard(self, rows: Tensor) -> Tensor:
        """Log-probabilities [r, n]."""
        return log_softmax(rows)

    def draws(self, like: Tensor, generator: Generator | None) -> Tensor:
        """Gumbel noise."""
        return -reverse_gumbel(like, generator)

    def reference_noise(self) -> Any:
        """The noise, for an independent reference."""
        from scipy import stats

        return stats.gumbel_r(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [Softmax]
