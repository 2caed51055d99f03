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
    """

    scale: Positive = 1.0
    rule: Literal["adaptive", "published"] = "adaptive"
    nodes: Count = 100

    @abstractmethod
    def law(self) -> Law:
        """The noise at scale 1."""

    def unit(self) -> Any:
        """What logits are divided by: a number, or a tensor without dimensions where it is learned."""
        return self.scale

    def probabilities(self, rows: Tensor) -> Tensor:
        """(rows [r, n]) -> [r, n]; its gradient and second derivatives are quadratures of their own."""
        rows = _scaled(rows, self.unit())
        if self.rule == "published":
            p = published(self.law(), rows, self.nodes)
            return p / p.sum(-1, keepdim=True)
        return race(rows, Race(self.law(), False))

    def log_probabilities(self, rows: Tensor) -> Tensor:
        """As `probabilities`, accurate relative to each p, however small."""
        if self.rule == "published":
            return super().log_probabilities(rows)
        return race(_scaled(rows, self.unit()), Race(self.law(), True))

    def mass(self, logits: Tensor, dim: int = -1) -> Tensor:
        """(logits [..., n]) -> the sum of the probabilities before they were normalised [..., 1], without gradient.

        Its distance from 1 shows the error of the quadrature, which normalising hides.
        """
        with torch.no_grad():
            return self._of_rows(self._masses, logits, dim).narrow(dim, 0, 1)

    def rsample(self, logits: Tensor, generator: Generator | None = None, dim: int = -1) -> Tensor:
        """One-hot draws of argmax(logits + scale * noise) in the shape of the logits [..., n].

        The gradient is that of the probabilities (straight through): it is right for whatever is linear in the draw.
        """
        hard = self._of_rows(partial(self._draw, generator=generator), logits.detach(), dim)
        if not (torch.is_grad_enabled() and logits.requires_grad):
            return hard
        p = self(logits, dim)
        return hard + (p - p.detach())

    def _masses(self, rows: Tensor) -> Tensor:
        rows = _scaled(rows, self.unit())
        if self.rule == "published":
            return published(self.law(), rows, self.nodes).sum(-1, keepdim=True).expand_as(rows)
        return Race(self.law(), False).run(rows)[1].expand_as(rows)

    def _draw(self, rows: Tensor, generator: Generator | None) -> Tensor:
        rows = _scaled(rows, self.unit())
        winner = (rows + self.law().draw(rows, generator)).argmax(-1, keepdim=True)
        return torch.zeros_like(rows).scatter(-1, winner, 1.0)


def _scaled(rows: Tensor, unit: Any) -> Tensor:
    if not isinstance(unit, torch.Tensor):
        return rows if unit == 1 else rows / unit
    # A masked logit would make the gradient of the scale infinity times zero.
    masked = rows == -torch.inf
    return (rows.masked_fill(masked, 0.0) / unit.to(rows.dtype)).masked_fill(masked, -torch.inf)
