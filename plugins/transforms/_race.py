"""P(argmax_j (mu_j + e_j) = i) by quadrature over the value of the maximum, with its own derivatives.

p_i = int h(x - mu_i) exp(L(x)) dx with L(x) = sum_j log F(x - mu_j) and h = f / F, on one grid per row: O(n q). The
Jacobian is a weighted graph Laplacian: off the diagonal -int exp(L) h_i h_k dx; rows and columns sum to zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from . import _table, _triton
from ._along import clean
from ._grids import ELEMENTS, FAR, exp
from ._law import Aim
from ._spread import one_pass, spread

if TYPE_CHECKING:
    from torch import Tensor

    from ._law import Law
    from ._spread import Spread
    from ._tabulated import Table

    Parts = tuple[Tensor, ...]

LEAST = -1e29
"""A logarithm below this counts as -inf: the class cannot win."""


@dataclass(frozen=True)
class Race:
    """Quadrature for one distribution: the probabilities, or (`relative`) their logarithms.

    `compiled` allows compiled functions.
    """

    law: Law
    relative: bool
    compiled: bool = True

    def aim(self, rows: Tensor) -> Aim:
        """Errors of 1e-13 for float64, 1e-8 for float32 rows."""
        return Aim(math.log(1e-13) if rows.dtype == torch.float64 else math.log(1e-8), self.relative)

    def run(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Result for rows [r, n], p or log p [r, n], and its sum before normalization [r, 1], in the rows' type."""
        if self._in_kernels(rows):
            return _triton.forward(rows, self._table(rows))
        p, mass = self._done(self._from_table, self._run, (rows,))
        return p, mass

    def pull(self, rows: Tensor, out: Tensor, cotangent: Tensor) -> Tensor:
        """Product of `cotangent` [r, n] with the Jacobian of `run` at rows, where its result was `out`."""
        if self._in_kernels(rows):
            return _triton.pull(rows, out, cotangent, self._table(rows))
        return self._done(self._pull_from_table, self._pull, (rows, out, cotangent))[0]

    def pull_twice(self, rows: Tensor, cotangent: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
        """Derivatives of <direction, pull(rows, cotangent)> with respect to rows and cotangent."""
        first, second = _each(self._pull_twice, rows, cotangent, direction)
        return first, second

    def _done(self, fast: Callable[..., Parts], exact: Callable[..., Parts], inputs: tuple[Tensor, ...]) -> Parts:
        """Result from the table where there is one; by quadrature for rows with logits below it, where those matter."""
        rows = inputs[0]
        if not self._tabulated(rows):
            return _each(exact, *inputs)
        # A single pass over the logits needs no small blocks; the temporaries of many passes should stay in the cache.
        result = _each(fast, *inputs, size=ELEMENTS * 16 if one_pass(rows, self.compiled) else ELEMENTS // 2)
        if not self._table(rows).mends:
            return result
        *parts, deep = result
        places = deep.nonzero()[:, 0]
        if not len(places):
            return tuple(parts)
        return self._mended(tuple(parts), exact, inputs, places)

    def _mended(self, parts: Parts, exact: Callable[..., Parts], inputs: tuple[Tensor, ...], places: Tensor) -> Parts:
        """The parts with the rows at `places` computed by the law's compiled functions, or else by quadrature."""
        if self.compiled:
            rows, cotangent = inputs[0][places], inputs[2][places] if len(inputs) == 3 else None
            served, direct = self.law.direct(rows, cotangent, self.relative)
            if direct:
                parts = _placed(parts, places[served], direct)
                places = places[~served]
        return _placed(parts, places, _each(exact, *(t[places] for t in inputs))) if len(places) else parts

    def _tabulated(self, rows: Tensor) -> bool:
        return rows.dtype == torch.float32 and self.law.has_table and rows.shape[1] > 1

    def _in_kernels(self, rows: Tensor) -> bool:
        return self.compiled and not self.relative and self._tabulated(rows) and _triton.serves(self._table(rows))

    def _table(self, rows: Tensor) -> Table:
        return _table.table(self.law, 1 << (rows.shape[1] - 1).bit_length(), self.relative, rows.device)

    def _from_table(self, rows: Tensor) -> Parts:
        return self._within((rows,), (rows.shape[1], 1), lambda laid, t: _table.forward(laid, t, self.relative))

    def _pull_from_table(self, rows: Tensor, out: Tensor, cotangent: Tensor) -> Parts:
        def pulled(laid: Spread, t: Table, out: Tensor, v: Tensor) -> Parts:
            return (_table.pull(laid, t, out, v, self.relative),)

        return self._within((rows, out, cotangent), rows.shape[1:], pulled)

    def _within(self, inputs: Parts, widths: Sequence[int], function: Callable[..., Parts]) -> Parts:
        """Parts [r, width] from the table and, where it may end early, the rows below it, which are left at 0."""
        rows, *others = inputs
        table = self._table(rows)
        cells = table.cells
        if table.mends and one_pass(rows, self.compiled):
            cells = cells.holding(self.law.tabled(rows.shape[1]))
        laid = spread(rows, cells, self.compiled)
        if not table.mends:
            return function(laid, table.on(laid.cells), *others)
        if not bool(laid.deep.any()):
            return (*function(laid, table.on(laid.cells), *others), laid.deep)
        parts, places = tuple(rows.new_zeros(len(rows), width) for width in widths), (~laid.deep).nonzero()[:, 0]
        if len(places):
            parts = _placed(parts, places, self._within(tuple(t[places] for t in inputs), widths, function)[:-1])
        return (*parts, laid.deep)

    def _run(self, rows: Tensor) -> Parts:
        whole, masked, poisoned = _finite(rows)
        field = self.law.contenders(whole, self.aim(rows))
        mu = _take(whole, field)
        x, log_w = self.law.nodes(mu, self.aim(rows))
        if not self.relative:
            total = torch.stack([exp(self._terms(mu, x[:, k], log_w[:, k])[0]).sum(1) for k in _parts(mu, x)]).sum(0)
            mass = total.sum(-1, keepdim=True)
            p = _put(total / mass, field, whole, 0.0).masked_fill(masked, 0.0)
            return tuple(part.masked_fill(poisoned, torch.nan).to(rows.dtype) for part in (p, mass))
        log_p = self._log_sums(mu, x, log_w)
        log_mass = log_p.logsumexp(-1, keepdim=True)
        log_p = _put((log_p - log_mass).masked_fill(log_p < LEAST, -torch.inf), field, whole, -torch.inf)
        log_p = log_p.masked_fill(masked, -torch.inf)
        return tuple(part.masked_fill(poisoned, torch.nan).to(rows.dtype) for part in (log_p, log_mass.exp()))

    def _log_sums(self, mu: Tensor, x: Tensor, log_w: Tensor) -> Tensor:
        """Log-probabilities before normalization [r, n]."""
        top, total = torch.full_like(mu, -1e300), torch.zeros_like(mu)
        for part in _parts(mu, x):
            terms = self._terms(mu, x[:, part], log_w[:, part])[0]
            before, top = top, torch.maximum(top, terms.amax(1))
            total = total * (before - top).exp() + exp(terms - top[:, None]).sum(1)
        return top + total.log()

    def _terms(self, mu: Tensor, x: Tensor, log_w: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms of the integrand times the weight and of h, both [r, q, n]."""
        z = x[:, :, None] - mu[:, None, :]
        log_cdf = self.law.log_cdf(z)
        log_h = self.law.log_hazard(z, log_cdf)
        return log_h + (log_cdf.sum(-1) + log_w)[:, :, None], log_h

    def _pull(self, rows: Tensor, out: Tensor, cotangent: Tensor) -> Parts:
        whole, masked, poisoned = _finite(rows)
        field = self.law.contenders(whole, self.aim(rows))
        mu = _take(whole, field)
        x, log_w = self.law.nodes(mu, self.aim(rows))
        empty = masked | poisoned | (out == -torch.inf)
        v = _take(cotangent.double().masked_fill(empty, 0.0), field)
        log_p = None
        if self.relative:  # float32 is too inaccurate for exp(terms - log p) where log p is large
            single = rows.dtype == torch.float32
            log_p = self._log_sums(mu, x, log_w) if single else _take(out.masked_fill(empty, 0.0), field)
        total = torch.zeros_like(mu)
        for part in _parts(mu, x):
            total = total + self._product(*self._terms(mu, x[:, part], log_w[:, part]), v, log_p)
        return (_put(total, field, whole, 0.0).masked_fill(empty, 0.0).to(rows.dtype),)

    def _product(self, terms: Tensor, log_h: Tensor, v: Tensor, log_p: Tensor | None) -> Tensor:
        """Integral of exp(L) h_k (v_k S - V) over some nodes; v / p for v with `log_p`.

        S = sum_j h_j and V = sum_j v_j h_j.
        """
        share = exp(terms if log_p is None else terms - log_p[:, None])
        h = exp(log_h)
        weighted = (share * v[:, None]).sum(-1)
        return v * (share * h.sum(-1, keepdim=True)).sum(1) - (weighted[:, :, None] * h).sum(1)

    def _pull_twice(self, rows: Tensor, cotangent: Tensor, direction: Tensor) -> Parts:
        whole, masked, poisoned = _finite(rows)
        masked = masked | poisoned
        field = self.law.contenders(whole, self.aim(rows))
        with torch.enable_grad():
            whole, v = whole.detach().requires_grad_(), cotangent.double().detach().requires_grad_()
            mu, used = _take(whole, field), _take(v.masked_fill(masked, 0.0), field)
            x, log_w = self.law.nodes(mu if self.law.breaks else mu.detach(), self.aim(rows))
            terms, log_h = self._terms(mu, x, log_w)
            log_p = terms.logsumexp(1)
            used = used.masked_fill(log_p < LEAST, 0.0)
            total = self._product(terms, log_h, used, log_p if self.relative else None)
            total = total.masked_fill(log_p < LEAST, 0.0)
            value = (total * _take(direction.double().masked_fill(masked, 0.0), field)).sum()
            first, second = torch.autograd.grad(value, (whole, v))
        return first.masked_fill(masked, 0.0).to(rows.dtype), second.to(rows.dtype)


def _placed(parts: Parts, places: Tensor, rows: Parts) -> Parts:
    """The parts with other rows at `places`."""
    return tuple(whole.index_copy(0, places, part) for whole, part in zip(parts, rows, strict=True))


def _finite(rows: Tensor) -> Parts:
    """Rows in float64 without infinities, the masked entries [r, n], and the invalid rows [r, 1]."""
    rows, poison = clean(rows)
    masked = rows == -torch.inf
    return rows.double().masked_fill(masked, FAR), masked, poison.isnan()


def _take(tensor: Tensor, field: Tensor | None) -> Tensor:
    return tensor if field is None else tensor.gather(1, field)


def _put(tensor: Tensor, field: Tensor | None, whole: Tensor, elsewhere: float) -> Tensor:
    return tensor if field is None else torch.full_like(whole, elsewhere).scatter(1, field, tensor)


def _parts(mu: Tensor, x: Tensor) -> list[slice]:
    """Slices of nodes, so short that temporaries stay small."""
    step = max(1, ELEMENTS // mu.numel())
    return [slice(start, start + step) for start in range(0, x.shape[1], step)]


def _each(function: Callable[..., Parts], *tensors: Tensor, size: int = ELEMENTS // 32) -> Parts:
    """Result of `function` on blocks of rows, concatenated; one node of each block fits into a temporary."""
    step = max(1, size // tensors[0].shape[1])
    blocks = [function(*block) for block in zip(*(t.split(step) for t in tensors), strict=True)]
    return tuple(torch.cat(parts) for parts in zip(*blocks, strict=True)) if len(blocks) > 1 else blocks[0]
