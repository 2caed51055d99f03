"""P(argmax_j (mu_j + e_j) = i) by quadrature over the value of the maximum, with its own derivatives.

p_i = int h(x - mu_i) exp(L(x)) dx with L(x) = sum_j log F(x - mu_j) and h = f / F, on one grid per row: O(n q). The
Jacobian is a weighted graph Laplacian: off the diagonal -int exp(L) h_i h_k dx, rows and columns sum to zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from harness.stock.transforms import _table
from harness.stock.transforms._grids import ELEMENTS, FAR, Aim

if TYPE_CHECKING:
    from harness.stock.transforms._laws import Law
    from torch import Tensor

LEAST = -1e29
"""A logarithm below this is -inf: the class cannot win."""


@dataclass(frozen=True)
class Race:
    """One distribution and what is asked of it: the probabilities, or (`relative`) their logarithms."""

    law: Law
    relative: bool

    def aim(self, rows: Tensor) -> Aim:
        """Errors of 1e-13 for float64, 1e-8 for float32 rows."""
        return Aim(math.log(1e-13) if rows.dtype == torch.float64 else math.log(1e-8), self.relative)

    def run(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """(rows [r, n]) -> p or log p [r, n] and its sum before it was normalised [r, 1], in the rows' type."""
        if not self._tabulated(rows):
            return _each(self._run, rows, rows)
        return self._mended(
            rows,
            _each(lambda block: _table.forward(self.law, block, self.relative), rows, rows, size=ELEMENTS // 2),
            rows,
        )

    def pull(self, rows: Tensor, out: Tensor, cotangent: Tensor) -> Tensor:
        """The product of `cotangent` [r, n] with the Jacobian of `run` at rows, where its result was `out`."""
        if not self._tabulated(rows):
            return _each(lambda *block: (self._pull(*block),), rows, rows, out, cotangent)[0]
        fast = _each(
            lambda *b: (_table.pull(self.law, *b, self.relative),), rows, rows, out, cotangent, size=ELEMENTS // 2
        )
        return self._mended(rows, fast, rows, out, cotangent)[0]

    def pull_twice(self, rows: Tensor, cotangent: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
        """Derivatives of <direction, pull(rows, cotangent)> with respect to rows and cotangent."""
        return _each(self._pull_twice, rows, rows, cotangent, direction)

    def _tabulated(self, rows: Tensor) -> bool:
        return rows.dtype == torch.float32 and self.law.has_table and rows.shape[1] > 1

    def _mended(self, rows: Tensor, fast: tuple[Tensor, ...], *inputs: Tensor) -> tuple[Tensor, ...]:
        """Logarithms in rows with classes further down than the table goes, by quadrature."""
        if not self.relative:
            return fast
        depth = _table.depth(self.law, rows)
        deep = ((rows < -depth) & (rows > -torch.inf)).any(1).nonzero()[:, 0]
        if not len(deep):
            return fast
        slow = self._run if len(inputs) == 1 else lambda *block: (self._pull(*block),)
        mended = _each(slow, rows[deep], *(t[deep] for t in inputs))
        return tuple(whole.index_copy(0, deep, part) for whole, part in zip(fast, mended, strict=True))

    def _run(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        whole, masked = _finite(rows)
        field = self.law.contenders(whole, self.aim(rows))
        mu = _take(whole, field)
        x, log_w = self.law.nodes(mu, self.aim(rows))
        top, total = torch.full_like(mu, -1e300 if self.relative else 0.0), torch.zeros_like(mu)
        for part in _parts(mu, x):
            terms = self._terms(mu, x[:, part], log_w[:, part])[0]
            if self.relative:
                before, top = top, torch.maximum(top, terms.amax(1))
                total = total * (before - top).exp()
                terms = terms - top[:, None]
            total = total + terms.exp().sum(1)
        if not self.relative:
            mass = total.sum(-1, keepdim=True)
            p = _put(total / mass, field, whole, 0.0)
            return p.masked_fill(masked, 0.0).to(rows.dtype), mass.to(rows.dtype)
        log_p = top + total.log()
        log_mass = log_p.logsumexp(-1, keepdim=True)
        log_p = _put((log_p - log_mass).masked_fill(log_p < LEAST, -torch.inf), field, whole, -torch.inf)
        return log_p.masked_fill(masked, -torch.inf).to(rows.dtype), log_mass.exp().to(rows.dtype)

    def _terms(self, mu: Tensor, x: Tensor, log_w: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms of the integrand times the weight and of h, both [r, q, n]."""
        z = x[:, :, None] - mu[:, None, :]
        log_cdf = self.law.log_cdf(z)
        log_h = self.law.log_hazard(z, log_cdf)
        return log_h + (log_cdf.sum(-1) + log_w)[:, :, None], log_h

    def _pull(self, rows: Tensor, out: Tensor, cotangent: Tensor) -> Tensor:
        whole, masked = _finite(rows)
        field = self.law.contenders(whole, self.aim(rows))
        mu = _take(whole, field)
        x, log_w = self.law.nodes(mu, self.aim(rows))
        empty = masked | (out == -torch.inf)
        v = _take(cotangent.double().masked_fill(empty, 0.0), field)
        log_p = _take(out.double().masked_fill(empty, 0.0), field) if self.relative else None
        total = torch.zeros_like(mu)
        for part in _parts(mu, x):
            total = total + self._product(*self._terms(mu, x[:, part], log_w[:, part]), v, log_p)
        return _put(total, field, whole, 0.0).masked_fill(empty, 0.0).to(rows.dtype)

    def _product(self, terms: Tensor, log_h: Tensor, v: Tensor, log_p: Tensor | None) -> Tensor:
        """int exp(L) h_k (v_k S - V) dx over some nodes, S = sum_j h_j, V = sum_j v_j h_j; v / p for v with `log_p`."""
        share = (terms if log_p is None else terms - log_p[:, None]).exp()
        h = log_h.exp()
        weighted = (share * v[:, None]).sum(-1)
        return v * (share * h.sum(-1, keepdim=True)).sum(1) - (weighted[:, :, None] * h).sum(1)

    def _pull_twice(self, rows: Tensor, cotangent: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
        whole, masked = _finite(rows)
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


def _finite(rows: Tensor) -> tuple[Tensor, Tensor]:
    masked = rows == -torch.inf
    return rows.double().masked_fill(masked, FAR), masked


def _take(tensor: Tensor, field: Tensor | None) -> Tensor:
    return tensor if field is None else tensor.gather(1, field)


def _put(tensor: Tensor, field: Tensor | None, whole: Tensor, elsewhere: float) -> Tensor:
    return tensor if field is None else torch.full_like(whole, elsewhere).scatter(1, field, tensor)


def _parts(mu: Tensor, x: Tensor) -> list[slice]:
    """Runs of nodes, so many that temporaries stay small."""
    step = max(1, ELEMENTS // mu.numel())
    return [slice(start, start + step) for start in range(0, x.shape[1], step)]


def _each(
    function: Callable[..., tuple[Tensor, ...]], rows: Tensor, *tensors: Tensor, size: int = ELEMENTS // 32
) -> Any:
    """`function` on blocks of rows, so many that one node of each fits into a temporary, put together again."""
    step = max(1, size // rows.shape[1])
    blocks = [function(*block) for block in zip(*(t.split(step) for t in tensors), strict=True)]
    return tuple(torch.cat(parts) for parts in zip(*blocks, strict=True))
