"""Argmax under negative exponential noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from harness import Transform, hookimpl

from ._argmax import Argmax, exponential
from ._own import Rule, own

if TYPE_CHECKING:
    from torch import Generator, Tensor


class NegativeExponential(Argmax):
    """Probability that each class wins when exponential noise is subtracted.

    The distribution of the argmax when Exp(1) noise times `scale` is subtracted. Logits [..., n] -> probabilities
    [..., n], in closed form, O(n log n). With m_1 >= ... >= m_n the sorted logits over `scale` and S_k the sum of the
    first k: p_(i) = sum_{k >= i} (exp(k m_k - S_k) - exp(k m_{k+1} - S_k)) / k. Two classes at distance d >= 0: 1 -
    exp(-d) / 2. Also known as the "exponomial" choice model (Alptekinoglu and Semple, 2016). Probabilities are 0 only
    by underflow, and `log` does not underflow. The second derivative jumps where logits are equal.
    """

    def log_of_standard(self, rows: Tensor) -> Tensor:
        """Log-probabilities, to rounding."""
        return own(rows, Rule(_log, _pull, blocks=True))

    def draws(self, like: Tensor, generator: Generator | None) -> Tensor:
        """Draws of -Exp(1) noise."""
        return -exponential(like, generator)

    def reference_noise(self) -> Any:
        """Noise distribution, for an independent reference."""
        from scipy import stats

        return stats.genextreme(1, scale=self.scale)  # 1 - Exp(1): the location of the noise does not matter


def _log(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities log p_(k) = log q_k - c_k.

    c_k = sum_{j < k} j gap_j and q_k is a mean of 1/k, ..., 1/n, so no terms cancel.
    """
    ordered, order = rows.sort(-1, descending=True)
    place = torch.arange(1, rows.shape[-1] + 1, dtype=rows.dtype, device=rows.device)
    there = ordered > -torch.inf
    goes_on = _ahead(there.to(rows.dtype)) > 0
    gap = torch.where(goes_on, place * (ordered - _ahead(ordered)), 0.0)
    kept = torch.where(goes_on, (-gap).exp(), 0.0)
    own_part = torch.where(goes_on, -(-gap).expm1(), there.to(rows.dtype)) / place
    log_p = _scan(kept, own_part).log() - (gap.cumsum(-1) - gap)
    return torch.zeros_like(rows).scatter(-1, order, log_p), order.int()  # saves half of the memory


def _pull(rows: Tensor, log_p: Tensor, order: Tensor, g: Tensor) -> Tensor:
    """Gradient: d p_i / d logit_k = -min(p_i, p_k) for k != i, by prefix and suffix sums in the order of the logits."""
    order = order.long()
    log_p, g = log_p.gather(-1, order), g.gather(-1, order)
    places = torch.arange(rows.shape[-1], dtype=rows.dtype, device=rows.device)
    goes_on = _ahead((log_p > -torch.inf).to(rows.dtype)) > 0
    finite = log_p.masked_fill(log_p == -torch.inf, 0.0)
    ratio = torch.where(goes_on, _ahead(finite) - finite, -torch.inf).exp()  # p_{k+1} / p_k
    below = _scan(ratio, ratio)  # sum_{i > k} p_i / p_k
    above = _behind(_scan(ratio.flip(-1), (ratio * g).flip(-1)).flip(-1))  # sum_{i < k} g_i p_k / p_i
    total = g.flip(-1).cumsum(-1).flip(-1) - g  # sum_{i > k} g_i
    return torch.zeros_like(g).scatter(-1, order, g * (places + below) - above - total)


def _ahead(x: Tensor) -> Tensor:
    """Values x_{k+1} at k, 0 at the end."""
    return torch.cat([x[..., 1:], torch.zeros_like(x[..., :1])], -1)


def _behind(x: Tensor) -> Tensor:
    """Values x_{k-1} at k, 0 at the start."""
    return torch.cat([torch.zeros_like(x[..., :1]), x[..., :-1]], -1)


def _scan(decay: Tensor, value: Tensor) -> Tensor:
    """Recursion y_k = value_k + decay_k y_{k+1} along the last dimension, in about log2 n steps over all of it."""
    reach, n = 1, value.shape[-1]
    while reach < n:
        head = value[..., :-reach] + decay[..., :-reach] * value[..., reach:]
        value = torch.cat([head, value[..., -reach:]], -1)
        decay = torch.cat([decay[..., :-reach] * decay[..., reach:], torch.zeros_like(decay[..., -reach:])], -1)
        reach *= 2
    return value


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [NegativeExponential]
