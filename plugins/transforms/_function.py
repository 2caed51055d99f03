"""The race of `_race.py` as a function torch can differentiate twice and map over lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from harness.stock.transforms._pair import pair
from torch.autograd.function import once_differentiable

if TYPE_CHECKING:
    from harness.stock.transforms._race import Race
    from torch import Tensor


def race(rows: Tensor, contest: Race) -> Tensor:
    """(rows [r, n]) -> p or log p [r, n], whichever the contest asks for."""
    pairs = rows.shape[-1] == 2 and contest.law.pairs
    return pair(rows, contest.law, contest.relative) if pairs else _race(rows, contest)


@torch.compiler.disable
def _race(rows: Tensor, contest: Race) -> Tensor:
    result: Tensor = _Run.apply(rows, contest)
    return result


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
    """The product with the Jacobian; a function of its own so that it has a derivative."""

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
    """The derivative of `_Pull`; it has none of its own."""

    @staticmethod
    def forward(rows: Tensor, cotangent: Tensor, direction: Tensor, contest: Race) -> tuple[Tensor, Tensor]:
        return contest.pull_twice(rows, cotangent, direction)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        """Nothing to keep."""

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *directions: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        raise NotImplementedError("noise transforms have no third derivatives")

    @staticmethod
    def vmap(info: Any, in_dims: Any, *inputs: Any) -> tuple[tuple[Tensor, ...], tuple[int, int]]:
        return _folded(_Twice, info, in_dims, inputs[:-1], inputs[-1]), (0, 0)


def _folded(function: Any, info: Any, in_dims: Any, tensors: tuple[Tensor, ...], contest: Race) -> tuple[Tensor, ...]:
    """Rows are independent of each other: lanes are only more of them."""
    lanes = [
        t.movedim(d, 0) if d is not None else t.expand(info.batch_size, *t.shape)
        for t, d in zip(tensors, in_dims, strict=False)
    ]
    result = function.apply(*(t.reshape(-1, t.shape[-1]) for t in lanes), contest)
    shape = lanes[0].shape
    return tuple(part.reshape(shape) for part in (result if isinstance(result, tuple) else (result,)))
