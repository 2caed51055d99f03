"""Placement of quadrature nodes, for each row, on the value x of the maximum of logit plus noise.

Rows [r, n] have their largest entry at 0 and FAR where a class is masked. Every rule gives nodes x [r, q] and the
logarithms of their weights [r, q] in float64. No gradient is taken from them: the integral does not depend on them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.nn.functional import threshold

if TYPE_CHECKING:
    from torch import Tensor

    from ._law import Aim, Law, Nodes

FAR = -1e150
"""Replaces a masked logit: it never wins, and arithmetic on it does not overflow."""

NEVER = -1e30
"""Replaces a log-probability of -inf: in gradients -inf - -inf would be NaN."""

ELEMENTS = 1 << 17
"""Most numbers in one temporary tensor; larger ones do not fit into the processor's cache."""


def log_max_cdf(law: Law, rows: Tensor, x: Tensor) -> Tensor:
    """Value of log P(max <= x): (rows [r, n], x [r, q]) -> [r, q]."""
    step = max(1, ELEMENTS // rows.numel())
    parts = [law.log_cdf(part[:, :, None] - rows[:, None, :]).sum(-1) for part in x.split(step, 1)]
    return torch.cat(parts, 1)


def spread(rows: Tensor) -> Tensor:
    """Distance of the lowest unmasked class from the best: [r, n] -> [r, 1]."""
    return -torch.where(rows > FAR, rows, 0.0).amin(-1, keepdim=True)


def left_end(law: Law, rows: Tensor, low: Tensor, high: Tensor, log_error: Tensor | float, steps: int = 12) -> Tensor:
    """Point x [r, 1] between `low` and `high` with log P(max <= x) = `log_error`, approached from below."""
    for _ in range(steps):
        middle = (low + high) / 2
        small = log_max_cdf(law, rows, middle) < log_error
        low, high = torch.where(small, middle, low), torch.where(small, high, middle)
    return low


def even(law: Law, rows: Tensor, aim: Aim, *, step: float, reach: float, most: float) -> Nodes:
    """The trapezoidal rule on one window per row, for light tails and no kinks: it converges exponentially.

    The integrand of a class d below the best lies `reach` * d below; beyond `most` it is no longer followed.
    """
    n = rows.shape[1]
    right = law.far(aim.log_error - math.log(n))
    low = torch.full_like(rows[:, :1], law.quantile(aim.log_error))
    a = left_end(law, rows, low, torch.full_like(low, right), aim.log_error)
    if aim.relative:
        a = torch.minimum(a, low * 0.75 - reach * spread(rows).clamp(max=most))
    k, width = steps_between(a, torch.full_like(a, right), step)
    return a + width * k.clamp(min=0), torch.where(k >= 0, width.log(), NEVER)


def steps_between(start: Tensor, stop: Tensor, step: float) -> tuple[Tensor, Tensor]:
    """Numbers [r, q] of equal steps from `start` to `stop` [r, 1], -1 after the last, and their width, at most `step`.

    Each row has as many as it needs, so its result does not depend on the other rows.
    """
    count = ((stop - start) / step).ceil() + 1
    k = torch.arange(int(count.max()), dtype=start.dtype, device=start.device).expand(len(start), -1)
    return torch.where(k < count, k, -1.0), (stop - start) / (count - 1)


def asinh(x: Tensor) -> Tensor:
    """Inverse hyperbolic sine, several times as fast as torch's."""
    size = x.abs()
    return torch.log1p(size + size * size / (1 + (1 + size * size).sqrt())).copysign(x)


def exp(x: Tensor) -> Tensor:
    """Exponential, but 0 where x < -80: several times as fast as torch's where results are almost 0."""
    return threshold(x.clamp(min=-80.0).exp_(), 2e-35, 0.0)


class Centers(NamedTuple):
    """A monotone map T(x) = sum_j w_j asinh((x - c_j) / scale): equal steps in T are dense around every center c_j."""

    centers: Tensor
    weights: Tensor
    scale: float

    def map(self, x: Tensor) -> Tensor:
        """Value of T at x [r, q] -> [r, q]."""
        return (self.weights[:, None] * asinh((x[..., None] - self.centers[:, None]) / self.scale)).sum(-1)

    def slope(self, x: Tensor) -> Tensor:
        """Derivative dT/dx at x [r, q] -> [r, q]."""
        z = (x[..., None] - self.centers[:, None]) / self.scale
        return (self.weights[:, None] / (1 + z * z).sqrt()).sum(-1) / self.scale

    def inverse(self, t: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """Point x between `low` and `high` [r, 1] with T(x) = t [r, q].

        A table around the centers gives the starting value of Newton's method.
        """
        ladder = torch.sinh(torch.linspace(0, 1, 20, dtype=t.dtype, device=t.device) * float(asinh(high - low).max()))
        ladder = torch.cat([-ladder.flip(0), ladder[1:]])
        table = (self.centers[:, :, None] + self.scale * ladder).flatten(1)
        table = torch.cat([low, table.clamp(low, high), high], 1).sort(-1).values
        values = self.map(table)
        place = torch.searchsorted(values, t).clamp(1, table.shape[1] - 1)
        a, b = table.gather(1, place - 1), table.gather(1, place)
        share = (t - values.gather(1, place - 1)) / (values.gather(1, place) - values.gather(1, place - 1) + 1e-300)
        x = a + share.clamp(0, 1) * (b - a)
        for _ in range(6):
            x = (x - (self.map(x) - t) / self.slope(x)).clamp(a, b)
        return x


def crowded(law: Law, rows: Tensor, aim: Aim, *, df: float, scale: float) -> Nodes:
    """The trapezoidal rule after a change of variable that follows tails x^-df and the peak at each high logit."""
    log_error = torch.full_like(rows[:, :1], aim.log_error)
    if aim.relative:
        log_error = log_error - (df + 1) * torch.log1p(spread(rows) / scale)
    centers = rows.topk(min(16, rows.shape[1])).values
    # Not P(max <= center): off the real line, toward the poles, ties of many classes grow as they do to the right.
    near = _share(log_max_cdf(law, rows, centers + scale), log_error, aim)
    # n tied classes reach up by about n^(1 / df); they need a center unless the best is so near that its own serves.
    heap = scale * rows.shape[1] ** (1 / df)
    above = _share(log_max_cdf(law, rows, centers + heap), log_error, aim)
    wanted = torch.maximum(near, above * (1 - _cover(10 * (centers - centers[:, :1]) / heap)))
    weights = [torch.ones_like(wanted[:, 0])]
    for j in range(1, centers.shape[1]):
        covered = [w * _cover((centers[:, k] - centers[:, j]) / scale) for k, w in enumerate(weights)]
        weights.append((wanted[:, j] - torch.stack(covered).sum(0)).clamp(min=0.0))
    weight = torch.stack(weights, 1)
    used = int((weight > 0).sum(1).max())
    weight, order = weight.sort(1, descending=True)
    placed = Centers(centers.gather(1, order)[:, :used].clamp(min=-1e140), weight[:, :used], scale)
    return _along_map(law, rows, placed, log_error, (math.log(rows.shape[1]) - log_error) / df + 2, aim, df)


def _share(log_p: Tensor, log_error: Tensor, aim: Aim) -> Tensor:
    """Share of a center's weight that is useful for a class with this log-probability."""
    return ((log_p + 3 - log_error) / -aim.log_error).clamp(0, 1)


def _cover(z: Tensor) -> Tensor:
    """Shift of a pole z away from the real line by asinh around a center, relative to the shift of its own pole."""
    return torch.asin(2 / (z.abs() + (4 + z * z).sqrt())) * (2 / math.pi)


def _along_map(law: Law, rows: Tensor, placed: Centers, log_error: Tensor, right: Tensor, aim: Aim, df: float) -> Nodes:
    """Equal steps of `placed.map` from where P(max <= x) is negligible to scale * sinh(`right`)."""
    low, high = -log_error / df + 3, torch.zeros_like(right)
    for _ in range(12):
        middle = (low + high) / 2
        small = log_max_cdf(law, rows, -placed.scale * middle.sinh()) < log_error
        low, high = torch.where(small, middle, low), torch.where(small, high, middle)
    a, b = -placed.scale * low.sinh(), placed.scale * right.sinh()
    start, stop = placed.map(a), placed.map(b)
    step = min(0.34, 0.37 / df) * math.sqrt(30 / -aim.log_error)
    k, width = steps_between(start, stop, step)
    x = placed.inverse(start + width * k.clamp(min=0), a, b)
    return x, torch.where(k >= 0, width.log() - placed.slope(x).log(), NEVER)


def panels(ends: Tensor, points: int) -> Nodes:
    """Gauss-Legendre between neighboring ends: (sorted [r, m + 1]) -> [r, m * points]; empty panels weigh nothing."""
    rule = np.polynomial.legendre.leggauss(points)
    node, weight = (torch.as_tensor(v, dtype=ends.dtype, device=ends.device) for v in rule)
    half = ends.diff(dim=-1)[..., None] / 2
    x = ends[:, :-1, None] + half * (1 + node)
    return x.flatten(1), (half * weight).clamp(min=1e-300).log().flatten(1)
