"""A function of one lane, mapped over lanes: `torch.func.vmap` without its bookkeeping."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import vmap

try:  # private to torch: what vmap itself calls
    from torch._C import _functorch as primitives
except ImportError:
    primitives = None  # type: ignore[assignment]

OfOneLane = Callable[..., tuple[Tensor, ...]]
NEEDED = ("_vmap_increment_nesting", "_vmap_decrement_nesting", "_add_batch_dim", "_remove_batch_dim")


def over_lanes(function: OfOneLane) -> OfOneLane:
    """Map a function of tensors over their first dimension; random numbers differ between lanes.

    The arguments of vmap are flattened as trees at every call, which takes as long as a small loss.
    """
    if not all(hasattr(primitives, name) for name in NEEDED):
        return vmap(function, randomness="different")
    vmap(torch.neg)(torch.zeros(1))  # its first call loads the rules for operations such as nll_loss

    def mapped(*tensors: Tensor) -> tuple[Tensor, ...]:
        lanes = len(tensors[0])
        level = primitives._vmap_increment_nesting(lanes, "different")
        try:
            outputs = function(*(primitives._add_batch_dim(tensor, 0, level) for tensor in tensors))
            return tuple(primitives._remove_batch_dim(output, level, lanes, 0) for output in outputs)
        finally:
            primitives._vmap_decrement_nesting()

    return mapped
