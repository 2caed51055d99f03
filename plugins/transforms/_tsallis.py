"""Entmax: its threshold, its logarithm, and derivatives with respect to logits and alpha at any alpha > 0.

Everything is written in e = alpha - 1 so that nothing is divided by a small number near alpha = 1: log p_i = log(1 - e
d_i) / e with d_i = t - z_i, which is -d_i at e = 0, and p_i = 0 where 1 - e d_i <= 0.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ._own import by_rows

ROUNDS = 100


def log_entmax(rows: Tensor, alpha: float | Tensor) -> Tensor:
    """Log-probabilities [..., n], -inf where p is 0: (rows [..., n], largest 0; alpha > 0, a number or [..., 1]).

    Twice differentiable in both, except where a class enters the support, where one-sided derivatives differ.
    """
    if not isinstance(alpha, Tensor):
        alpha = torch.tensor(alpha, dtype=rows.dtype, device=rows.device)
    result: Tensor = _LogEntmax.apply(rows, alpha.to(rows.dtype))
    return result


class _LogEntmax(torch.autograd.Function):
    @staticmethod
    def forward(rows: Tensor, alpha: Tensor) -> Tensor:
        e = alpha - 1
        return _solve(rows, e) if e.numel() > 1 else by_rows(lambda block: _solve(block, e), rows).view(rows.shape)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[1], output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None]:
        """Gradient with s_i = p_i^(2 - alpha): d log p_i = s_i / p_i (dz_i - w_i de - the mean of that under s)."""
        alpha, log_p = ctx.saved_tensors
        e, inside = alpha - 1, log_p > -torch.inf
        log_p = torch.where(inside, log_p, 0.0)
        s = torch.where(inside, ((1 - e) * log_p).exp(), 0.0)
        pulled = torch.where(inside, gradient * (-e * log_p).exp(), 0.0)
        rows = pulled - s * (pulled.sum(-1, keepdim=True) / s.sum(-1, keepdim=True))
        if not ctx.needs_input_grad[1]:
            return rows, None
        slope = -rows * log_p.square() * bend(e * log_p)
        return rows, slope.sum_to_size(alpha.shape)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, int | None], rows: Tensor, alpha: Tensor) -> tuple[Tensor, int]:
        rows = rows.expand(info.batch_size, *rows.shape) if in_dims[0] is None else rows.movedim(in_dims[0], 0)
        if in_dims[1] is not None:
            alpha = alpha.movedim(in_dims[1], 0)
            alpha = alpha.reshape(len(alpha), *[1] * (rows.ndim - alpha.ndim), *alpha.shape[1:])
        return _LogEntmax.apply(rows, alpha), 0


def bend(u: Tensor) -> Tensor:
    """Value of (u e^u - e^u + 1) / u^2, the derivative of (e^u - 1) / u.

    Near 0 it is the series sum_k (k + 1) u^k / (k + 2)!.
    """
    near = u.abs() < 0.5
    small, large = torch.where(near, u, 0.0), torch.where(near, 1.0, u)
    series = torch.zeros_like(u)
    for k in range(13, -1, -1):
        series = series * small + (k + 1) / math.factorial(k + 2)
    return torch.where(near, series, (large * large.exp() - large.expm1()) / large.square())


def _solve(rows: Tensor, e: Tensor) -> Tensor:
    """Log-probabilities by Newton's method on the threshold; by bisection where alpha > 2, where the sum has no slope.

    For alpha <= 2 the norm (sum p)^e is convex or concave in the threshold: from t = 0 Newton's method ascends to the
    root, and each step divides value times slope by four at least. Equal logits, and alpha = 1, take one step.
    """
    close = 8 * torch.finfo(rows.dtype).eps
    high = _q_log(torch.full_like(e, rows.shape[-1]).log(), -e) + torch.zeros_like(rows[..., :1])
    low, steep = torch.zeros_like(high), e > 1
    t = torch.where(steep, high / 2, low)
    for _ in range(ROUNDS):
        total, slope = _sums(t - rows, e)
        low, high = torch.where(total > 1, t, low), torch.where(total > 1, high, t)
        newton = t + total * _q_log(total.log(), -e) / slope
        before, t = t, torch.where(steep, (low + high) / 2, newton)
        if bool(((t - before).abs() <= close * t.clamp(min=1.0)).all()):
            break
    log_p = _log_p(t - rows, e)
    return (log_p - log_p.logsumexp(-1, keepdim=True)).clamp(max=0.0)


def _sums(d: Tensor, e: Tensor) -> tuple[Tensor, Tensor]:
    """Sums [..., 1] of p and of p^(2 - alpha) over the support."""
    if e.numel() == 1 and bool(e == 0.5):  # several times faster for the usual alpha
        root = (1 - 0.5 * d).clamp(min=0.0)
        return root.square().sum(-1, keepdim=True), root.sum(-1, keepdim=True)
    log_p = _log_p(d, e)
    slope = torch.where(log_p > -torch.inf, ((1 - e) * log_p).exp(), 0.0)
    return log_p.exp().sum(-1, keepdim=True), slope.sum(-1, keepdim=True)


def _q_log(x: Tensor, e: Tensor) -> Tensor:
    """Value of (exp(e x) - 1) / e, which is x at e = 0."""
    return torch.where(e == 0, x, (e * x).expm1() / torch.where(e == 0, 1.0, e))


def _log_p(d: Tensor, e: Tensor) -> Tensor:
    """Value of log(1 - e d) / e, -inf where e d >= 1; -d at e = 0."""
    return torch.where(e == 0, -d, (-e * d).clamp(min=-1.0).log1p() / torch.where(e == 0, 1.0, e))
