"""Base class of the noise transforms: p_i = P(argmax_j (logit_j + scale * noise_j) = i)."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Literal

import torch

from harness import PositiveInt

from ._argmax import Noisy, divided
from ._function import race
from ._published import at_levels, equal_weights
from ._race import Race

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from ._law import Law


class Noise(Noisy):
    """Argmax under noise of one kind, by quadrature over the value of the maximum.

    `scale` multiplies the noise and may be learned. `rule: published` is the equal-weight rule at the quantiles k /
    (nodes + 1) of the noise, O(n^2 nodes), and `rule: midpoints` that at (k - 1/2) / nodes; both are included to show
    their error. The location of the noise does not matter.
    `compiled` allows functions compiled on first use, for float32 under smooth noise; torch alone gives the same up to
    rounding, more slowly.
    """

    rule: Literal["adaptive", "published", "midpoints"] = "adaptive"
    nodes: PositiveInt = 100
    compiled: bool = True

    @abstractmethod
    def law(self) -> Law:
        """The noise at scale 1."""

    def draws(self, like: Tensor, generator: Generator | None) -> Tensor:
        """Draws of the law."""
        return self.law().draw(like, generator)

    def contest(self, relative: bool) -> Race:
        """Quadrature for the probabilities of valid rows, or (`relative`) for their logarithms."""
        return Race(self.law(), relative, self.compiled)

    def __call__(self, logits: Tensor, dim: int = -1) -> Tensor:
        """Probabilities [..., n] of logits [..., n]; first and second derivatives are quadratures of their own."""
        return super().__call__(logits, dim) if self._is_fixed else self._raced(logits, dim, False)

    def log(self, logits: Tensor, dim: int = -1) -> Tensor:
        """Log-probabilities [..., n] of logits [..., n], accurate relative to each p, however small."""
        return super().log(logits, dim) if self._is_fixed else self._raced(logits, dim, True)

    def probabilities(self, rows: Tensor) -> Tensor:
        """Probabilities [r, n] of rows [r, n] by a rule of fixed nodes."""
        p = self._unnormalized(rows)
        return p / p.sum(-1, keepdim=True)

    def mass(self, logits: Tensor, dim: int = -1) -> Tensor:
        """Sum of the probabilities before they are normalized [..., 1], of logits [..., n]; without gradient.

        Its distance from 1 shows the error of the quadrature, which normalization hides.
        """
        with torch.no_grad():
            function = self._cleaned(self._fixed_mass) if self._is_fixed else self._mass
            return self._of_rows(function, logits, dim).narrow(dim, 0, 1)

    def _raced(self, logits: Tensor, dim: int, relative: bool) -> Tensor:
        contest = self.contest(relative)
        return self._of_rows(lambda rows: race(divided(rows, self.unit()), contest), logits, dim)

    def _mass(self, rows: Tensor) -> Tensor:
        return self.contest(False).run(divided(rows, self.unit()))[1].expand_as(rows)

    @property
    def _is_fixed(self) -> bool:
        return self.rule != "adaptive"

    def levels(self) -> tuple[Tensor, Tensor]:
        """Logarithms of the noise's distribution function at the nodes of a fixed rule, and the weights, [nodes] each.

        In float64.
        """
        return equal_weights(self.rule, self.nodes)

    def _unnormalized(self, rows: Tensor) -> Tensor:
        return at_levels(self.law(), divided(rows, self.unit()), *self.levels())

    def _fixed_mass(self, rows: Tensor) -> Tensor:
        return self._unnormalized(rows).sum(-1, keepdim=True).expand_as(rows)
