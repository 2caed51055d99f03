"""Softmax with a polynomial in place of exp."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import torch
from harness.stock.transforms._along import Along
from harness.stock.transforms._argmax import log_softmax

from harness import BenchError, Count, Transform, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class TaylorSoftmax(Along):
    """p_i proportional to the Taylor polynomial of exp at logit_i, of an even `order` (de Brebisson & Vincent, 2016).

    [..., n] -> [..., n], always positive. A constant added to the logits changes p. The order of the logits is kept
    only where the polynomial rises: above -1 for order 2, above -1.6 for order 4; far below, p grows again.
    """

    order: Count = 2
    shifts: ClassVar[bool] = False
    axioms: ClassVar[Sequence[str]] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.order % 2:
            raise BenchError(f"taylor_softmax.order: expected an even number, got {self.order}: odd ones go below 0")

    def probabilities(self, rows: Tensor) -> Tensor:
        """[r, n] -> [r, n]."""
        return self._log_polynomial(rows).softmax(-1)

    def log_probabilities(self, rows: Tensor) -> Tensor:
        """[r, n] -> [r, n]."""
        return log_softmax(self._log_polynomial(rows))

    def _log_polynomial(self, rows: Tensor) -> Tensor:
        """log of sum_k z^k / k!, with z^order drawn out where z is large."""
        masked = rows == -torch.inf
        z = rows.masked_fill(masked, 0.0)
        far = z.abs() > 1
        small, inverse = torch.where(far, 1.0, z), 1 / torch.where(far, z, 1.0)
        coefficients = [1 / math.factorial(k) for k in range(self.order + 1)]
        near_value = _polynomial(small, coefficients).log()
        far_value = _polynomial(inverse, coefficients[::-1]).log() - self.order * inverse.abs().log()
        return torch.where(far, far_value, near_value).masked_fill(masked, -torch.inf)


def _polynomial(x: Tensor, coefficients: list[float]) -> Tensor:
    """sum_k coefficients[k] x^k, by Horner's rule."""
    value = torch.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [TaylorSoftmax]
