"""Base class of all transforms: any dimension, any leading ones, any floating type, masks and NaN."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import torch

from harness import BenchError, Transform

from ._own import by_rows

if TYPE_CHECKING:
    from torch import Tensor


class Along(Transform):
    """A transform of the last dimension, or of `dim`, written for rows [r, n] whose largest entry is 0.

    A logit of -inf is a masked class: probability 0, log-probability -inf, no gradient. A row that contains NaN or
    +inf, or only masks, gives a row of NaN and no gradient. float16 and bfloat16 are computed in float32, under
    autocast too, and the result has the type of the logits.
    """

    shifts: ClassVar[bool] = True
    """True if a constant added to a row changes nothing, so that the largest entry may be subtracted."""

    def __call__(self, logits: Tensor, dim: int = -1) -> Tensor:
        """Probabilities [..., n] that sum to 1 along `dim`, of logits [..., n]."""
        return self._of_rows(self._cleaned(self.probabilities), logits, dim)

    def log(self, logits: Tensor, dim: int = -1) -> Tensor:
        """Log-probabilities [..., n] along `dim`, of logits [..., n]; -inf where a probability is 0."""
        return self._of_rows(self._cleaned(self.log_probabilities), logits, dim)

    @abstractmethod
    def probabilities(self, rows: Tensor) -> Tensor:
        """Probabilities of rows: (rows [r, n], float32 or float64, n > 0, no NaN or +inf, possibly -inf) -> [r, n]."""

    def log_probabilities(self, rows: Tensor) -> Tensor:
        """Logarithm of `probabilities`; override it where a probability could underflow."""
        p = self.probabilities(rows)
        # Not p.log(), whose derivative is infinite where p is 0: infinity times a zero gradient is NaN.
        return torch.where(p > 0, p, 1.0).log().masked_fill(p == 0, -torch.inf)

    def _of_rows(self, function: Callable[[Tensor], Tensor], logits: Tensor, dim: int) -> Tensor:
        if not logits.is_floating_point() or logits.ndim == 0:
            raise BenchError(f"logits must be floating-point [..., n], not {logits.dtype} {[*logits.shape]}")
        moved = logits.movedim(dim, -1)
        if not logits.numel():
            return logits.clone()
        rows = moved.reshape(-1, moved.shape[-1]).to(torch.promote_types(logits.dtype, torch.float32))
        if torch.is_autocast_enabled(logits.device.type):
            with torch.autocast(logits.device.type, enabled=False):
                result = function(rows)
        else:
            result = function(rows)
        return result.to(logits.dtype).reshape(moved.shape).movedim(-1, dim)

    def _cleaned(self, function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        """Result of `function` on valid rows; NaN for the others.

        On a CPU, where no gradient keeps them, temporaries cover a few rows at a time, so that they stay in the cache.
        """

        def computed(rows: Tensor) -> Tensor:
            rows, poison = clean(rows, self.shifts)
            return function(rows) * poison

        return lambda rows: computed(rows) if rows.requires_grad or rows.is_cuda else by_rows(computed, rows)


def clean(rows: Tensor, shifts: bool = True) -> tuple[Tensor, Tensor]:
    """Valid rows [r, n] with their largest entry at 0 if `shifts`, and a factor [r, 1]: 1, or NaN for invalid rows."""
    top = rows.detach().amax(-1, keepdim=True)
    good = top.isfinite()
    if torch.is_grad_enabled():  # the gradient of a masked class stops here, whatever the transform does with it
        rows = rows.masked_fill(rows == -torch.inf, -torch.inf)
    rows = torch.where(good, rows - top if shifts else rows, 0.0)
    return rows, torch.where(good, 1.0, torch.nan).to(rows.dtype)
