"""What every noise transform does: p_i = P(argmax_j (logit_j + scale * noise_j) = i)."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import torch
from harness.stock.transforms._along import Along
from harness.stock.transforms._function import race
from harness.stock.transforms._published import published
from harness.stock.transforms._race import Race

from harness import Count, Positive

if TYPE_CHECKING:
    from harness.stock.transforms._laws import Law
    from torch import Generator, Tensor


class Noise(Along):
    """Argmax under noise of one kind, by quadrature over the value of the maximum.

    `scale` multiplies the noise and may be learned. `rule: published` is the equal-weight rule at the quantiles
    k / (nodes + 1) of the noise, O(n^2 nodes), here to show its error. Noise of any location gives the same.
    `compiled` allows functions compiled on first use, for float32 under smooth noise; torch alone gives the same to
    rounding, more slowly.
    """

    scale: Positive = 1.0
    rule: Literal["adaptive", "published"] = "adaptive"
    nodes: Count = 100
    compiled: bool = True

    @abstractmethod
    def law(self) -> Law:
        """The noise at scale 1."""

    def unit(self) -> Any:
        """What logits are divided by: a number, or a tensor without dimensions where it is learned."""
        return self.scale

    def __call__(self, logits: Tensor, dim: int = -1) -> Tensor:
        """(logits [..., n]) -> probabilities [..., n]; first and second derivatives are quadratures of their own."""
        return super().__call__(logits, dim) if self.rule == "published" else self._raced(logits, dim, False)

    def log(self, logits: Tensor, dim: int = -1) -> Tensor:
        """(logits [..., n]) -> log-probabilities [..., n], accurate relative to each p, however small."""
        return super().log(logits, dim) if self.rule == "published" else self._raced(logits, dim, True)

    def probabilities(self, rows: Tensor) -> Tensor:
        """(rows [r, n]) -> [r, n] by the published rule."""
        p = published(self.law(), _scaled(rows, self.unit()), self.nodes)
        return p / p.sum(-1, keepdim=True)

    def mass(self, logits: Tensor, dim: int = -1) -> Tensor:
        """(logits [..., n]) -> the sum of the probabilities before they were normalised [..., 1], without gradient.

        Its distance from 1 shows the error of the quadrature, which normalising hides.
        """
        with torch.no_grad():
            function = self._cleaned(self._published_mass) if self.rule == "published" else self._mass
            return self._of_rows(function, logits, dim).narrow(dim, 0, 1)

    def rsample(self, logits: Tensor, generator: Generator | None = None, dim: int = -1) -> Tensor:
        """One-hot draws of argmax(logits + scale * noise) in the shape of the logits [..., n].

        The gradient is that of the probabilities (straight through): it is right for whatever is linear in the draw.
        """
        hard = self._of_rows(self._cleaned(partial(self._draw, generator=generator)), logits.detach(), dim)
        if not (torch.is_grad_enabled() and logits.requires_grad):
            return hard
        p = self(logits, dim)
        return hard + (p - p.detach())

    def _raced(self, logits: Tensor, dim: int, relative: bool) -> Tensor:
        contest = Race(self.law(), relative, self.compiled)  # takes rows as they come
        return self._of_rows(lambda rows: race(_scaled(rows, self.unit()), contest), logits, dim)

    def _mass(self, rows: Tensor) -> Tensor:
        return Race(self.law(), False, self.compiled).run(_scaled(rows, self.unit()))[1].expand_as(rows)

    def _published_mass(self, rows: Tensor) -> Tensor:
        return published(self.law(), _scaled(rows, self.unit()), self.nodes).sum(-1, keepdim=True).expand_as(rows)

    def _draw(self, rows: Tensor, generator: Generator | None) -> Tensor:
        rows = _scaled(rows, self.unit())
        winner = (rows + self.law().draw(rows, generator)).argmax(-1, keepdim=True)
        return torch.zeros_like(rows).scatter(-1, winner, 1.0)


def _scaled(rows: Tensor, unit: Any) -> Tensor:
    if not isinstance(unit, torch.Tensor):
        return rows if unit == 1 else rows / unit
    # A logit that is not finite would make the gradient of the scale infinity times zero.
    finite = rows.isfinite()
    return torch.where(finite, torch.where(finite, rows, 0.0) / unit.to(rows.dtype), rows)
