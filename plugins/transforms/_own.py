"""Log-probabilities of rows with a custom derivative, which needs less memory and time than a recorded one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

BLOCK = 1 << 16
"""Most logits in a block of rows, so that temporaries stay in the processor's cache."""


class Rule(NamedTuple):
    """A map of rows [..., n], whose largest entry is 0, to log-probabilities, and its derivative.

    `log(rows) -> (log p [..., n], kept)`; `kept` holds further values that the derivative needs, with the rows'
    dimensions or one. `pull(rows, log p, kept, g) -> [..., n]` is the gradient of sum(g * log p), from operations that
    torch can differentiate and map. The Jacobian of p in the logits is a graph Laplacian (symmetric, rows sum to 0), so
    `pull` takes as long as `log`. With `blocks` both are given [r, n], a few rows at a time, and `kept` has two
    dimensions.
    """

    log: Callable[[Tensor], tuple[Tensor, Tensor]]
    pull: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
    blocks: bool = False


class _Own(torch.autograd.Function):
    @staticmethod
    def forward(rows: Tensor, rule: Rule) -> tuple[Tensor, Tensor]:
        if not rule.blocks:
            return rule.log(rows)
        log_p, kept = torch.empty_like(rows, memory_format=torch.contiguous_format), []
        for block, out in zip(_blocks(rows, rows), _blocks(rows, log_p), strict=True):
            part, more = rule.log(block)
            out.copy_(part)
            kept.append(more)
        return log_p, torch.cat(kept).view(*rows.shape[:-1], kept[0].shape[-1])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Rule], output: tuple[Tensor, Tensor]) -> None:
        rows, ctx.rule = inputs
        ctx.save_for_backward(rows, *output)
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Any) -> tuple[Tensor, None]:
        rows, log_p, kept = ctx.saved_tensors
        # A class of probability 0 has no gradient, and its infinite logarithm would turn the others into NaN.
        gradient = gradient.masked_fill(log_p == -torch.inf, 0.0)
        if not ctx.rule.blocks:
            return ctx.rule.pull(rows, log_p, kept, gradient), None
        blocks = zip(*(_blocks(rows, t) for t in (rows, log_p, kept, gradient)), strict=True)
        return torch.cat([ctx.rule.pull(*block) for block in blocks]).view(rows.shape), None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int, None], rows: Tensor, rule: Rule) -> Any:
        # Rows are independent, so another batch dimension in front is enough.
        log_p, kept = _Own.apply(rows.movedim(in_dims[0], 0), rule)
        return (log_p, kept), (0, 0 if kept.ndim == log_p.ndim else None)


def own(rows: Tensor, rule: Rule) -> Tensor:
    """Log-probabilities [..., n] of rows [..., n] by the rule, differentiable twice."""
    result: Tensor = _Own.apply(rows, rule)[0]
    return result


def by_rows(function: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """Result of `function` on rows [r, n], a few at a time: [r, n]."""
    return torch.cat([function(block) for block in _blocks(rows, rows)])


def _blocks(rows: Tensor, tensor: Tensor) -> tuple[Tensor, ...]:
    """The tensor [..., k] by blocks of the rows [..., n]: [r, k] each."""
    blocks: tuple[Tensor, ...] = tensor.flatten(0, -2).split(max(1, BLOCK // rows.shape[-1]))
    return blocks


def slices(nodes: Tensor, rows: Tensor, most: int = 1 << 18) -> tuple[Tensor, ...]:
    """Quadrature nodes [..., q] in pieces of at most `most` entries times the rows, or of one node."""
    pieces: tuple[Tensor, ...] = nodes.split(max(1, most // max(1, rows.numel())), -1)
    return pieces
