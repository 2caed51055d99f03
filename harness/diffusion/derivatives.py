"""Number of samples that pass through a network, or back through it, inside the transforms of `torch.func` too.

There a tensor is wrapped: one that `vmap` hands to a function has the shape of one lane, and stands for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor
from torch._C import _functorch
from torch.autograd import forward_ad
from torch.fx.experimental.proxy_tensor import get_proxy_mode

from harness.errors import BenchError


def samples(x: Tensor) -> int:
    """Return the number of samples of x [b, ...], over all lanes. Raises BenchError if they cannot be counted."""
    if get_proxy_mode() is not None:
        raise BenchError("torch.func.linearize hides how many derivatives of the network are taken: use torch.func.jvp")
    if _functorch.is_legacy_batchedtensor(x):
        raise BenchError(
            "is_grads_batched=True of torch.autograd.grad hides how many backward passes the network makes: "
            "map the function of torch.func.vjp by torch.func.vmap"
        )
    return len(x) * plain(x).numel() // max(1, x.numel())


def plain(x: Tensor) -> Tensor:
    """Return the tensor inside all wrappers: its lanes are further dimensions."""
    return [*_layers(x)][-1]


def forward(x: Tensor) -> int:
    """Return the number of samples whose forward-mode derivative an answer of the network carries; 0 if it has none."""
    for layer in _layers(x):
        tangent = forward_ad.unpack_dual(layer).tangent
        if tangent is not None:
            return len(x) * plain(tangent).numel() // max(1, x.numel())
    return 0


def _layers(x: Tensor) -> Iterator[Tensor]:
    """Yield a tensor and what is inside it, the outermost wrapper first."""
    yield x
    while _functorch.is_functorch_wrapped_tensor(x):
        x = _functorch.get_unwrapped(x)
        yield x


def first(answer: object) -> Tensor | None:
    """Return the first floating tensor of a network's answer: a tensor, a sequence or a mapping, as in diffusers."""
    if isinstance(answer, Tensor):
        return answer if answer.ndim and torch.is_floating_point(answer) else None
    parts = answer.values() if isinstance(answer, Mapping) else answer if isinstance(answer, (tuple, list)) else ()
    return next((found for part in parts if (found := first(part)) is not None), None)
