"""Log-probabilities of rows with a derivative of their own, which needs less memory and time than a recorded one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Rule(NamedTuple):
    """A map of rows [..., n], whose largest entry is 0, to log-probabilities, and its derivative.

    `log(rows) -> (log p [..., n], kept)`; `kept` is what the derivative needs beside, with the rows' dimensions or one.
    `pull(rows, log p, kept, g) -> [..., n]` is the gradient of sum(g * log p), from operations that torch can
    differentiate and map. The Jacobian of p in the logits is a graph Laplacian (symmetric, rows sum to 0), so `pull`
    takes as long as `log`.
    """

    log: Callable[[Tensor], tuple[Tensor, Tensor]]
    pull: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


class _Own(torch.autograd.Function):
    @staticmethod
    def forward(rows: Tensor, rule: Rule) -> tuple[Tensor, Tensor]:
        return rule.log(rows)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Rule], output: tuple[Tensor, Tensor]) -> None:
        rows, ctx.rule = inputs
        ctx.save_for_backward(rows, *output)
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Any) -> tuple[Tensor, None]:
        rows, log_p, kept = ctx.saved_tensors
        # Nothing can be learned about a class of probability 0, and its infinite log would make NaN of the others.
        gradient = gradient.masked_fill(log_p == -torch.inf, 0.0)
        return ctx.rule.pull(rows, log_p, kept, gradient), None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int, None], rows: Tensor, rule: Rule) -> Any:
        # Rows are independent, so another batch dimension in front is all there is to do.
        log_p, kept = _Own.apply(rows.movedim(in_dims[0], 0), rule)
        return (log_p, kept), (0, 0 if kept.ndim == log_p.ndim else None)


def own(rows: Tensor, rule: Rule) -> Tensor:
    """(rows [..., n]) -> log-probabilities [..., n] by the rule, differentiable twice."""
    result: Tensor = _Own.apply(rows, rule)[0]
    return result


def slices(nodes: Tensor, rows: Tensor, most: int = 1 << 18) -> tuple[Tensor, ...]:
    """Quadrature nodes [..., q] in pieces so short that a piece times the rows is at most `most`, or of one node."""
    return nodes.split(max(1, most // max(1, rows.numel())), -1)
