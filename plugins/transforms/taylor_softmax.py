"""Softmax with a polynomial in place of exp."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import torch

from harness import BenchError, PositiveInt, Transform, hookimpl

from ._along import Along
from ._argmax import log_softmax

if TYPE_CHECKING:
    from torch import Tensor


class TaylorSoftmax(Along):
    """Softmax with a polynomial for exp (de Brebisson and Vincent, 2016).

    p_i is proportional to the Taylor polynomial of exp at logit_i, of an even `order`. Logits [..., n] -> probabilities
    [..., n], always positive. A constant added to the logits changes p. The order of the logits is kept only where the
    polynomial increases: above -1 for order 2, above -1.6 for order 4; far below, p grows again.
    """

    reference = r"""
    @inproceedings{debrebisson2016spherical, author = {de Br{\'e}bisson, Alexandre and Vincent, Pascal}, title = {An
      Exploration of Softmax Alternatives Belonging to the Spherical Loss Family}, booktitle = {International
      Conference on Learning Representations}, year = {2016}}"""

    order: PositiveInt = 2
    shifts: ClassVar[bool] = False
    properties: ClassVar[Sequence[str]] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.order % 2:
            raise BenchError(
                f"taylor_softmax.order: expected an even number, got {self.order}: odd orders give negative values"
            )

    def probabilities(self, rows: Tensor) -> Tensor:
        """Probabilities: [r, n] -> [r, n]."""
        return self._log_polynomial(rows).softmax(-1)

    def log_probabilities(self, rows: Tensor) -> Tensor:
        """Log-probabilities: [r, n] -> [r, n]."""
        return log_softmax(self._log_polynomial(rows))

    def _log_polynomial(self, rows: Tensor) -> Tensor:
        """Logarithm of sum_k z^k / k!, with z^order factored out where z is large."""
        masked = rows == -torch.inf
        z = rows.masked_fill(masked, 0.0)
        far = z.abs() > 1
        small, inverse = torch.where(far, 1.0, z), 1 / torch.where(far, z, 1.0)
        coefficients = [1 / math.factorial(k) for k in range(self.order + 1)]
        near_value = _polynomial(small, coefficients).log()
        far_value = _polynomial(inverse, coefficients[::-1]).log() - self.order * inverse.abs().log()
        return torch.where(far, far_value, near_value).masked_fill(masked, -torch.inf)


def _polynomial(x: Tensor, coefficients: list[float]) -> Tensor:
    """Polynomial sum_k coefficients[k] x^k, by Horner's rule."""
    value = torch.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [TaylorSoftmax]
