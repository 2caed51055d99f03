"""Softmax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from harness import Transform, hookimpl

from ._argmax import Argmax, log_softmax, reverse_gumbel

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Softmax(Argmax):
    """Exponentials of the logits, normalized to sum to 1.

    p_i is proportional to exp(logit_i / scale): the distribution of the argmax under Gumbel noise times `scale`. Logits
    [..., n] -> probabilities [..., n]. A constant added to every logit changes nothing. `log` stays finite where p
    underflows to 0. With `scale` = 1 it is exactly torch.softmax.
    """

    def __call__(self, logits: Tensor, dim: int = -1) -> Tensor:
        """Probabilities [..., n] along `dim`, of logits [..., n]."""
        # torch's own function at the usual scale: the fastest, and the reference for the speed of the others
        return torch.softmax(logits, dim) if self._is_plain else super().__call__(logits, dim)

    def log(self, logits: Tensor, dim: int = -1) -> Tensor:
        """Log-probabilities [..., n] along `dim`, of logits [..., n]; finite for finite logits."""
        return torch.log_softmax(logits, dim) if self._is_plain else super().log(logits, dim)

    @property
    def _is_plain(self) -> bool:
        return isinstance(self.scale, float) and self.scale == 1

    def log_of_standard(self, rows: Tensor) -> Tensor:
        """Log-probabilities [r, n]."""
        return log_softmax(rows)

    def draws(self, like: Tensor, generator: Generator | None) -> Tensor:
        """Draws of Gumbel noise."""
        return -reverse_gumbel(like, generator)

    def reference_noise(self) -> Any:
        """Noise distribution, for an independent reference."""
        from scipy import stats

        return stats.gumbel_r(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [Softmax]
