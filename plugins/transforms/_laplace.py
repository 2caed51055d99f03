"""Argmax under Laplace noise in O(n): kinks at few high logits, sums of powers of exp(logit) for all the others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn.functional import threshold

from ._along import clean
from ._ladder import DOUBLE, SINGLE, Accuracy, Field, horner, ladder
from ._race import Race

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

ROWS, PIECE = 1 << 21, 1 << 16
"""Most logits in a block of rows, and in temporaries of that length, so that they stay in the cache."""


class LaplaceRace(Race):
    """Drop-in for `Race` without its grid; accurate relative to each p, however small."""

    def run(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """See `Race.run`."""
        out, mass = torch.empty_like(rows), rows.new_empty(len(rows), 1)
        for part in blocks(rows, ROWS):
            self._run_block(rows[part], out[part], mass[part])
        return out, mass

    def pull(self, rows: Tensor, out: Tensor, cotangent: Tensor) -> Tensor:
        """See `Race.pull`."""
        result = torch.empty_like(rows)
        for part in blocks(rows, ROWS):
            self._pull_block(rows[part], cotangent[part], result[part])
        return result

    def _run_block(self, rows: Tensor, out: Tensor, mass: Tensor) -> None:
        logits, poison = clean(rows)
        heap, field, accuracy = _heap(logits)
        steps = ladder(field, accuracy, rows.shape[1])
        low, high = steps.integrals(steps.weight)
        size, end = field.logits.exp(), heap.end.double().exp()
        total = (field.counts * size * high).sum(-1, keepdim=True) + end * (low * field.rest).sum(-1, keepdim=True)
        mass.copy_(total * poison)
        low, high = low / total, high / total
        high = (high.log() + field.logits if self.relative else high * size).to(rows.dtype)
        high = high.masked_fill(field.counts == 0, -torch.inf if self.relative else 0.0)
        for part, value in heap.values(low):
            if self.relative:
                torch.add(logits[part], value.log_(), out=out[part])
            else:
                torch.mul(value, heap.powers(part).mul_(heap.end[part].exp()), out=out[part])
        out.scatter_(1, heap.places, high).mul_(poison)

    def _pull_block(self, rows: Tensor, cotangent: Tensor, result: Tensor) -> None:
        """Integral of exp(L) h_k (w_k S - sum_j w_j h_j), with w = cotangent * exp(logit), over p for logarithms."""
        logits, poison = clean(rows)
        heap, field, accuracy = _heap(logits)
        steps, empty = ladder(field, accuracy, rows.shape[1]), (logits == -torch.inf) | poison.isnan()
        w = cotangent.masked_fill(empty, 0.0)
        best = w.gather(1, heap.places).double()
        if self.relative:
            low, high = steps.integrals(steps.weight)
            best = best / high
            for part, value in heap.values(low):
                w[part].div_(value)
        else:
            best = best * field.logits.exp()
            w.mul_(threshold(logits.exp(), torch.finfo(w.dtype).tiny, 0.0, inplace=True))
        rest = heap.sums(accuracy.powers, w.scatter_(1, heap.places, 0.0))
        low, high = steps.integrals(steps.weight * steps.hazard)
        low_v, high_v = steps.integrals(steps.weight * steps.weighted(best, rest), falling=False)
        for (part, value), (_, value_v) in zip(heap.values(low), heap.values(low_v), strict=True):
            torch.sub(value.mul_(w[part]), value_v.mul_(heap.powers(part)), out=result[part])
        result.scatter_(1, heap.places, (best * high - high_v).to(rows.dtype)).masked_fill_(empty, 0.0)


class Heap(NamedTuple):
    """Rows of logits [r, n], the best at 0, with the highest ones kept apart."""

    logits: Tensor
    places: Tensor
    """Positions of the highest ones, [r, k]."""
    end: Tensor
    """The lowest of the highest ones [r, 1]."""

    def powers(self, part: slice) -> Tensor:
        """Values exp(logit - end) of the others, 0 for the highest: [part, n]."""
        y = (self.logits[part] - self.end[part]).clamp_(max=0.0).exp_()
        # Arithmetic on subnormal numbers is a hundred times slower.
        return threshold(y, torch.finfo(y.dtype).tiny, 0.0, inplace=True).scatter_(1, self.places[part], 0.0)

    def values(self, coefficients: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """Polynomial sum_p c_p y^p from p = 0 for coefficients [r, p], a few rows at a time: [part, n]."""
        coefficients = coefficients.to(self.logits.dtype)
        for part in blocks(self.logits, PIECE):
            yield part, horner(coefficients[part], self.powers(part))

    def sums(self, count: int, weights: Tensor | None = None) -> Tensor:
        """Sums over the others of y^1, ..., y^p, or of weight [r, n] times y^0, ..., y^(p - 1): float64 [r, p]."""
        rows = []
        for part in blocks(self.logits, PIECE):
            y, parts = self.powers(part), []
            power = y.clone() if weights is None else torch.ones_like(y)
            nothing = torch.finfo(y.dtype).tiny ** 0.5
            y = threshold(y, nothing, 0.0, inplace=True)
            for _ in range(count):
                parts.append((power if weights is None else power * weights[part]).sum(1))
                power = threshold(power.mul_(y), nothing, 0.0, inplace=True)
            rows.append(torch.stack(parts, 1))
        return torch.cat(rows).double()


def _heap(logits: Tensor) -> tuple[Heap, Field, Accuracy]:
    accuracy, n = DOUBLE if logits.dtype == torch.float64 else SINGLE, logits.shape[1]
    floor = accuracy.floor(n)
    # k classes above x make L(x) - x at most -k log 2.
    best, places = logits.topk(min(n, math.ceil(-floor / math.log(2))))
    best, known = best.double(), best > -torch.inf
    best = torch.where(known, best, torch.where(known, best, 0.0).amin(1, keepdim=True))
    total = torch.cat([logits[part].exp().sum(1, keepdim=True) for part in blocks(logits, PIECE)])
    cut = _cut(best, total * (1 - 1e-5), floor)
    keep = int(((best > cut) & known).sum(1).max()) + 1
    best, places, known = best[:, :keep], places[:, :keep], known[:, :keep]
    heap = Heap(logits, places, best[:, -1:].to(logits.dtype))
    return heap, Field(best, known.double(), heap.sums(accuracy.powers), torch.maximum(cut, best[:, -1:])), accuracy


def _cut(best: Tensor, total: Tensor, floor: float) -> Tensor:
    """Point x [r, 1] below which L(x) - x is less than `floor`: bounded at m_k, it rises by k - 1 or more up to m_k."""
    count = torch.arange(1, best.shape[1] + 1, dtype=best.dtype, device=best.device)
    up = best.exp().cumsum(1)
    low = (total - up).clamp(min=0.0) * (-best).clamp(max=20.0).exp()
    log = (count - 1) * best - best.cumsum(1) - count * math.log(2) - low / 2
    cut = best - (log - floor).clamp(min=0.0) / (count - 1).clamp(min=1e-300)
    return cut.amax(1, keepdim=True)


def blocks(rows: Tensor, size: int) -> list[slice]:
    """Slices of rows [r, n] with `size` entries at most, or of one row."""
    step = max(1, size // rows.shape[1])
    return [slice(k, k + step) for k in range(0, len(rows), step)]
