"""Base classes of transforms that are the argmax under noise: the scale of the noise, and samples."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from harness import Positive

from ._along import Along

if TYPE_CHECKING:
    from torch import Generator, Tensor


def divided(rows: Tensor, unit: Any) -> Tensor:
    """Rows over `unit` [r, n], with the right gradient for a learned unit (a tensor) where entries are not finite."""
    if not isinstance(unit, torch.Tensor):
        return rows if unit == 1 else rows / unit
    # For an infinite entry the gradient of the unit would be infinity times zero.
    finite = rows.isfinite()
    return torch.where(finite, torch.where(finite, rows, 0.0) / unit.to(rows.dtype), rows)


def exponential(like: Tensor, generator: Generator | None) -> Tensor:
    """Draws of Exp(1) [...], shaped as `like`, never 0, since log 0 would outweigh any finite logits."""
    draws = torch.empty_like(like.detach()).exponential_(generator=generator)
    return draws.clamp(min=torch.finfo(like.dtype).tiny)


def reverse_gumbel(like: Tensor, generator: Generator | None) -> Tensor:
    """Negated Gumbel draws [...], shaped as `like`, all finite."""
    return exponential(like, generator).log()


def log_softmax(rows: Tensor) -> Tensor:
    """Log-softmax [r, n] without a gradient from the infinite logarithm of a masked class."""
    return rows.log_softmax(-1).masked_fill(rows == -torch.inf, -torch.inf)


class Noisy(Along):
    """Probability p_i = P(argmax_j (logit_j + scale e_j) = i) with e_j independent draws of some noise."""

    scale: Positive = 1.0

    def unit(self) -> Any:
        """Divisor of the logits: a number, or a tensor without dimensions where it is learned."""
        return self.scale

    @abstractmethod
    def draws(self, like: Tensor, generator: Generator | None) -> Tensor:
        """Draws of the noise at scale 1, shaped as `like`."""

    def rsample(self, logits: Tensor, generator: Generator | None = None, dim: int = -1) -> Tensor:
        """One-hot draws [..., n] of argmax(logits + scale * noise) along `dim`, for logits [..., n].

        The gradient is that of the probabilities (straight-through): it is exact for anything linear in the draw.
        """
        hard = self._of_rows(self._cleaned(partial(self._draw, generator=generator)), logits.detach(), dim)
        if not (torch.is_grad_enabled() and logits.requires_grad):
            return hard
        p = self(logits, dim)
        return hard + (p - p.detach())

    def _draw(self, rows: Tensor, generator: Generator | None) -> Tensor:
        rows = divided(rows, self.unit())
        winner = (rows + self.draws(rows, generator)).argmax(-1, keepdim=True)
        return torch.zeros_like(rows).scatter(-1, winner, 1.0)


class Argmax(Noisy):
    """Noise whose log-probabilities are given at scale 1."""

    def log_probabilities(self, rows: Tensor) -> Tensor:
        """Log-probabilities: [r, n] -> [r, n]."""
        return self.log_of_standard(divided(rows, self.unit()))

    def probabilities(self, rows: Tensor) -> Tensor:
        """Exponentials of the log-probabilities, so small ones are as accurate as large ones: [r, n] -> [r, n]."""
        return self.log_probabilities(rows).exp()

    @abstractmethod
    def log_of_standard(self, rows: Tensor) -> Tensor:
        """Log-probabilities [r, n] under noise of scale 1; the largest logit of each row is 0, some may be -inf."""
