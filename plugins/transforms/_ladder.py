"""Integrals over the maximum under Laplace noise, in panels between its kinks, from the top down.

With y_j = exp(m_j - x), a class j below x has F = 1 - y_j / 2 and h = f / F = sum_p b_p y_j^p; one above has F = 1 /
(2 y_j) and h = 1. So sums of powers are enough for the classes below a panel. These sums, and integrals over everything
above a class, are updated from panel to panel.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Accuracy(NamedTuple):
    """Orders of the series and sizes of the quadrature panels."""

    log_error: float
    powers: int
    points: int
    """Nodes of a panel."""
    step: float
    """The widest panel."""
    reach: float
    """Distance above the logits beyond which exp(-reach) is negligible."""

    def floor(self, n: int) -> float:
        """Value of L(x) - x that is negligible beside the integral of its exponential, about 1 / n at least."""
        return self.log_error - math.log(n) - 1


SINGLE = Accuracy(math.log(1e-8), 12, 5, 1.0, 20.0)
DOUBLE = Accuracy(math.log(1e-14), 20, 10, 1.0, 40.0)
PIECES = 3
"""Panels above the logits."""


@functools.lru_cache(maxsize=8)
def series(powers: int) -> tuple[float, ...]:
    """Coefficients b_1, ..., b_p of y / (2 - y) = sum b_p y^p and -log(1 - y / 2) = sum b_p y^p / p for y in [0, 1]."""
    fit = np.polynomial.Chebyshev.interpolate(lambda y: 1 / (2 - y), powers - 1, domain=[0, 1])
    return tuple(fit.convert(kind=np.polynomial.Polynomial).coef.tolist())


class Field(NamedTuple):
    """The highest classes [r, k] in descending order, the best at 0, and the rest, all at the last of these or below.

    Float64. A masked class counts 0 and lies at the lowest other one. Nothing below `cut` [r, 1] matters.
    """

    logits: Tensor
    counts: Tensor
    rest: Tensor
    """Sums [r, p] of y^1, ..., y^p over the rest, y = exp(logit - last of `logits`)."""
    cut: Tensor


class Ladder(NamedTuple):
    """Panels [r, m], nodes in them [r, m, q], powers 1, ..., p [r, m, p]; the last panel is all below the classes."""

    places: Tensor
    """The panel [r, k] whose left end is this class."""
    drops: Tensor
    """Powers of exp(-d), d the distance of a left end from the one before."""
    fall: Tensor
    """exp(left end - x) at the nodes."""
    rise: Tensor
    """exp(x - right end) at the nodes."""
    weight: Tensor
    """exp(L - x) dx at the nodes."""
    hazard: Tensor
    """sum_j h_j at the nodes."""
    factors: Tensor
    """b_1, ..., b_p [p]."""

    def integrals(self, values: Tensor, falling: bool = True) -> tuple[Tensor, Tensor]:
        """Integral of values [r, m, q] times h_i exp(x - m_i), or of values times h_i, for every class i.

        For the rest, the coefficients [r, p] of y^0, ..., or of y^1, ...; for the others, the integrals [r, k].
        """
        above = self._above(values, 0 if falling else 1) * self.factors
        total = (values * (self.rise if falling else 1.0)).sum(-1, keepdim=True).roll(-1, 1)
        total[:, -1] = 0.0
        drop = self.drops[..., :1].roll(-1, 1)
        below = _scan(drop if falling else torch.ones_like(drop), total, up=True)[..., 0]
        return above[:, -2], (below + above.sum(-1)).gather(1, self.places)

    def _above(self, values: Tensor, first: int) -> Tensor:
        """Integrals of values times exp(p (left end - x)) above every left end, [r, m, p]; p from `first`."""
        parts, part = [], values if first == 0 else values * self.fall
        for _ in self.factors:
            parts.append(part.sum(-1))
            part = part * self.fall
        return _scan(self._powers(first), torch.stack(parts, -1))

    def weighted(self, w: Tensor, rest: Tensor) -> Tensor:
        """Sum of w_j exp(x - m_j) h_j(x) at the nodes.

        `rest` holds sums [r, p] of w y^0, ..., w y^(p - 1) over the rest.
        """
        ends = torch.zeros_like(self.drops[..., 0]).scatter_add(1, self.places, w)
        high = _scan(self.drops[..., :1], ends[..., None])[..., 0].roll(1, 1)[..., None] * self.rise
        low = _sums_below(self._powers(0), ends, rest)
        return high + horner(low * self.factors, self.fall)

    def _powers(self, first: int) -> Tensor:
        return self.drops if first else torch.cat([torch.ones_like(self.drops[..., :1]), self.drops[..., :-1]], -1)


def ladder(field: Field, accuracy: Accuracy, n: int) -> Ladder:
    """Panels between the classes, for rows of `n` classes."""
    zero, k = torch.zeros_like(field.cut), field.logits.shape[1]
    ends, order = _ends(field, -accuracy.floor(n), accuracy.step).sort(dim=1, descending=True, stable=True)
    places = order.argsort(-1)[:, :k] + PIECES - 1
    left = torch.cat([zero.expand(-1, PIECES - 1), ends, ends[:, -1:]], 1)
    gap = -left.diff(dim=-1, prepend=zero)
    drops = (-gap).exp()[..., None].expand(-1, -1, accuracy.powers).cumprod(-1)
    counts = torch.zeros_like(left).scatter_add(1, places, field.counts)
    sums = _sums_below(drops, counts, field.rest)
    factors = torch.tensor(series(accuracy.powers), dtype=left.dtype, device=left.device)

    x, weight = _nodes(gap, sums[:, PIECES - 1, :1], accuracy)
    count = (counts.cumsum(-1) - counts)[..., None]
    weight[:, -1] = 1 / (accuracy.points * count[:, -1])  # the integral of exp(count x)
    weight = weight * (torch.cat([zero, left[:, :-1]], 1) >= field.cut)[..., None]
    fall = (-x).exp()
    gap[:, :PIECES] = torch.inf
    up = ((counts * left).cumsum(-1) - counts * left)[..., None]
    log = (count - 1) * (left[..., None] + x) - up - count * math.log(2)
    log = log - fall * horner(sums * factors / torch.arange(1, len(factors) + 1, device=left.device), fall)
    hazard = count + fall * horner(sums * factors, fall)
    return Ladder(places, drops, fall, (x - gap[..., None]).exp(), weight * log.clamp(max=0.0).exp(), hazard, factors)


def _ends(field: Field, reach: float, step: float) -> Tensor:
    """Classes and other ends [r, m], not below the cut; equally spaced in the middle of a long gap between classes."""
    depth = -float(field.cut.min())
    count = torch.arange(1, math.ceil(min(depth, reach) / step) + 1, device=field.cut.device)
    ends = [field.logits, (-step * count).clamp(min=field.cut)]
    if depth > reach:
        count = torch.arange(math.ceil(min(depth - reach, 3 * reach) / step) + 1, device=field.cut.device)
        ends.append((field.cut + step * count).clamp(max=-reach).maximum(field.cut))
    return torch.cat(ends, 1)


def _nodes(gap: Tensor, total: Tensor, accuracy: Accuracy) -> tuple[Tensor, Tensor]:
    """Distances from the left end and weights [r, m, q]: Gauss-Legendre, above the logits in exp(-x)."""
    u, w = _legendre(accuracy.points, gap)
    x, weight = gap[..., None] * u, gap[..., None] * w
    u, w = _legendre(PIECES * accuracy.points, gap)
    end = (2 * accuracy.reach / total).clamp(max=1.0)
    shape = (len(gap), PIECES, accuracy.points)
    x[:, :PIECES] = -(end * u).log().view(shape)
    weight[:, :PIECES] = (w / u).expand(len(gap), -1).reshape(shape)
    return x, weight


def _legendre(points: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Gauss-Legendre nodes and weights on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(points)
    nodes, weights = (torch.as_tensor(v, dtype=like.dtype, device=like.device) for v in ((1 + x) / 2, w / 2))
    return nodes, weights


def horner(coefficients: Tensor, x: Tensor) -> Tensor:
    """Polynomial sum_p c_p x^p from p = 0: (c [..., p], x [..., q]) -> [..., q]."""
    value = coefficients[..., -1:]
    for p in range(coefficients.shape[-1] - 2, -1, -1):
        value = torch.addcmul(coefficients[..., p : p + 1], value, x)
    return value


def _sums_below(drops: Tensor, values: Tensor, rest: Tensor) -> Tensor:
    """Sums [r, m, p] over values [r, m] at the left ends, at or below each, that decay with the distance."""
    start = values[..., None].expand_as(drops).clone()
    start[:, -1] += rest
    return _scan(drops.roll(-1, 1), start, up=True)


def _scan(decay: Tensor, value: Tensor, up: bool = False) -> Tensor:
    """Recursion y_k = value_k + decay_k y_(k - 1) along dimension 1, or with y_(k + 1)."""
    total, parts = torch.zeros_like(value[:, 0]), []
    steps = range(value.shape[1])
    for k in reversed(steps) if up else steps:
        total = torch.addcmul(value[:, k], decay[:, k], total)
        parts.append(total)
    return torch.stack(parts[::-1] if up else parts, 1)
