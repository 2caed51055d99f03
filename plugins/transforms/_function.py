"""The quadrature of `_race.py` as a function that torch can differentiate twice and map over seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd.function import once_differentiable

from ._pair import pair

if TYPE_CHECKING:
    from torch import Tensor

    from ._race import Race


def race(rows: Tensor, contest: Race) -> Tensor:
    """Probabilities or log-probabilities [r, n] of rows [r, n], whichever the contest computes."""
    pairs = rows.shape[-1] == 2 and contest.law.pairs
    return pair(rows, contest.law, contest.relative) if pairs else _race(rows, contest)


def _eager(rows: Tensor, contest: Race) -> Tensor:
    result: Tensor = _Run.apply(rows, contest)
    return result


_race: Callable[[Tensor, Race], Tensor] = torch.compiler.disable(_eager)


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(rows: Tensor, contest: Race) -> Tensor:
        return contest.run(rows)[0]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Race], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)
        ctx.contest = inputs[1]

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, None]:
        rows, out = ctx.saved_tensors
        return _Pull.apply(rows, out.detach(), cotangent, ctx.contest), None

    @staticmethod
    def vmap(info: Any, in_dims: Any, rows: Tensor, contest: Race) -> tuple[Tensor, int]:
        return _folded(_Run, info, in_dims, (rows,), contest)[0], 0


class _Pull(torch.autograd.Function):
    """Product with the Jacobian, as a function of its own so that it has a derivative."""

    @staticmethod
    def forward(rows: Tensor, out: Tensor, cotangent: Tensor, contest: Race) -> Tensor:
        return contest.pull(rows, out, cotangent)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor, Race], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], inputs[2])
        ctx.contest = inputs[3]

    @staticmethod
    def backward(ctx: Any, direction: Tensor) -> tuple[Tensor, None, Tensor, None]:
        rows, cotangent = ctx.saved_tensors
        first, second = _Twice.apply(rows, cotangent, direction, ctx.contest)
        return first, None, second, None

    @staticmethod
    def vmap(info: Any, in_dims: Any, *inputs: Any) -> tuple[Tensor, int]:
        return _folded(_Pull, info, in_dims, inputs[:-1], inputs[-1])[0], 0


class _Twice(torch.autograd.Function):
    """Derivative of `_Pull`; it has no derivative itself."""

    @staticmethod
    def forward(rows: Tensor, cotangent: Tensor, direction: Tensor, contest: Race) -> tuple[Tensor, Tensor]:
        return contest.pull_twice(rows, cotangent, direction)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        """Saves nothing."""

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *directions: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        raise NotImplementedError("noise transforms have no third derivatives")

    @staticmethod
    def vmap(info: Any, in_dims: Any, *inputs: Any) -> tuple[tuple[Tensor, ...], tuple[int, int]]:
        return _folded(_Twice, info, in_dims, inputs[:-1], inputs[-1]), (0, 0)


def _folded(function: Any, info: Any, in_dims: Any, tensors: tuple[Tensor, ...], contest: Race) -> tuple[Tensor, ...]:
    """Rows with the mapped dimension folded in: rows are independent, so mapped ones are just more rows."""
    lanes = [
        t.movedim(d, 0) if d is not None else t.expand(info.batch_size, *t.shape)
        for t, d in zip(tensors, in_dims, strict=False)
    ]
    result = function.apply(*(t.reshape(-1, t.shape[-1]) for t in lanes), contest)
    shape = lanes[0].shape
    return tuple(part.reshape(shape) for part in (result if isinstance(result, tuple) else (result,)))
