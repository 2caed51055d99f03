"""Optimizers of torch on tensors that stay in place, without the bookkeeping of their classes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from ._network import Mapped

Pair = tuple[Tensor, Tensor]
"""A tensor to be trained and its gradient."""


class Group:
    """Tensors with the same learning rate and decay, trained by torch's fused optimizers as set by default."""

    def __init__(self, pairs: Sequence[Pair], lr: float, decay: float, kind: str) -> None:
        self.lr, self.decay, self.kind = lr, decay, kind
        self.values, self.gradients = [value for value, _ in pairs], [gradient for _, gradient in pairs]
        self.first, self.second = ([torch.zeros_like(value) for value in self.values] for _ in range(2))
        self.count = torch.zeros((), device=self.values[0].device)

    def step(self, scale: float) -> None:
        """Make one step with the learning rate multiplied by `scale`."""
        if self.kind == "adam":
            self._adam(self.lr * scale)
        else:
            self._sgd(self.lr * scale)

    def _adam(self, lr: float) -> None:
        self.count.add_(1)
        torch._fused_adam_(
            self.values,
            self.gradients,
            self.first,
            self.second,
            [],
            [self.count] * len(self.values),
            lr=lr,
            beta1=0.9,
            beta2=0.999,
            weight_decay=self.decay,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )

    def _sgd(self, lr: float) -> None:
        torch._fused_sgd_(
            self.values,
            self.gradients,
            [],
            weight_decay=self.decay,
            momentum=0.0,
            lr=lr,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=False,
        )


def groups(network: Mapped, free: Pair, rates: Sequence[float], decay: float, kind: str) -> list[Group]:
    """All weights in one piece, and apart from them the loss's learned fields, which do not decay.

    With several learning rates the pieces are slices of every weight: neighboring lanes with the same rate share one.
    """
    made, start = [], 0
    for lr, lanes in itertools.groupby(rates):
        stop = start + len(list(lanes))
        pieces = [(weight.detach(), network.gradients[name]) for name, weight in network.weights.items()]
        pieces = [(weight[start:stop], gradient[start:stop]) for weight, gradient in pieces]
        if stop - start == len(rates):
            pieces = list(zip(network.flat, network.flat_gradients, strict=True))
        learned = [(free[0].detach()[start:stop], free[1][start:stop])] if free[0].numel() else []
        made += [Group(pairs, lr, d, kind) for pairs, d in ((pieces, decay), (learned, 0.0)) if pairs]
        start = stop
    return made
