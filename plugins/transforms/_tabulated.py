"""The tables of a law of noise, as data: values at the nodes, and what steep logits need beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ._spread import Cells


class Steep(NamedTuple):
    """Tables of the sums: nodes x [q] and points m [b]."""

    x: Tensor
    wide: Tensor
    """Points of the wide cells [c]."""
    log_weighted: Tensor
    """Sum of log h(x_q - m_c) and the logarithm of the weight of the node, [q, c]."""
    up: Tensor
    """Interpolation from wide cells to cells, [c, b]."""

    def to(self, device: torch.device) -> Steep:
        """The same tables on another device."""
        return Steep(*(part.to(device) for part in self))


class Table(NamedTuple):
    """Tables of log F and h at x_q - m_b, [b, q]: float32, or float64 for logarithms, which go down to exp(-300)."""

    cells: Cells
    log_cdf: Tensor
    h: Tensor
    weighted: Tensor
    """h times the weight of its node, [q, b]."""
    mends: bool = False
    """True if rows with a logit below the first cell are left to the quadrature."""
    steep: Steep | None = None
    """Tables for logarithms, of laws that need them."""

    def on(self, cells: Cells) -> Table:
        """The part of the tables for the last of its cells."""
        skip = self.cells.size - cells.size
        steep = self.steep and self.steep._replace(up=self.steep.up[:, skip:])
        parts = self.log_cdf[skip:], self.h[skip:], self.weighted[:, skip:]
        return Table(cells, *parts, self.mends, steep) if skip else self
