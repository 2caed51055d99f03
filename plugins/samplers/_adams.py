"""Multistep rules: a polynomial through the last outputs, integrated exactly against an exponential."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def orders(steps: int, most: int) -> Tensor:
    """Orders 1, 2, ..., most, ..., most, ..., 2, 1."""
    step = torch.arange(steps)
    return torch.minimum(step + 1, steps - step).clamp(max=most)


def fitted(nodes: Tensor, moments: Tensor) -> Tensor:
    """Weights [n, p] with sum_i weights_i nodes_i^j = moments_j for j < p: exact for polynomials of degree p - 1."""
    degrees = torch.arange(nodes.shape[-1], dtype=nodes.dtype)
    weights: Tensor = torch.linalg.solve(nodes[:, None] ** degrees[:, None], moments)
    return weights


def predictor(log_snr: Tensor, orders: Tensor, moments: Callable[[Tensor, int], Tensor]) -> Tensor:
    """Weights [K, largest order] of the outputs at and before each start, in log_snr [K + 1], newest first."""
    weights = log_snr.new_zeros(len(orders), int(orders.max()))
    for order in orders.unique().tolist():
        rows = (orders == order).nonzero()
        nodes = log_snr[rows - torch.arange(order)] - log_snr[rows]
        weights[rows[:, 0], :order] = fitted(nodes, moments(log_snr[rows[:, 0] + 1] - log_snr[rows[:, 0]], order))
    return weights


def of_data(h: Tensor, count: int) -> Tensor:
    """Integrals int_0^h e^(u - h) u^j du for j < count [n, count]: a step of x_0 = u^j, over sqrt(A_s).

    Of two, the second is the midpoint's h / 2 times the first, as in DPM-Solver++ and UniPC.
    """
    moments = [-torch.expm1(-h)]
    for j in range(1, count):
        moments.append(h**j - j * moments[-1])
    if count == 2:
        moments[1] = moments[0] * h / 2
    return torch.stack(moments, -1)


def of_noise(h: Tensor, count: int) -> Tensor:
    """Integrals int_0^h e^-u u^j du for j < count [n, count]; h may be infinite."""
    decay = torch.exp(-h)
    moments = [-torch.expm1(-h)]
    for j in range(1, count):
        moments.append(j * moments[-1] - torch.where(decay > 0, h, 0.0) ** j * decay)
    return torch.stack(moments, -1)
