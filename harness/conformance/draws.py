"""Draws of components: trials that leave the global generators as they were, and calls that are made twice."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from harness.base import Component
from harness.conformance import contract
from harness.random import seed_globals

SAME = 1e-4
"""Share of the largest number by which two calls with the same inputs may differ: sums on a GPU have no fixed order."""


@contextlib.contextmanager
def undrawn() -> Iterator[None]:
    """Restore the generators of torch, Python and numpy on exit, so that draws inside have no effect afterwards."""
    numpy: Any = sys.modules.get("numpy.random")
    before = random.getstate(), numpy.get_state() if numpy else None
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        random.setstate(before[0])
        if numpy:
            numpy.set_state(before[1])


@contextlib.contextmanager
def redrawn() -> Iterator[None]:
    """Seed the global generators, the same at every use, and restore them on exit."""
    with undrawn():
        seed_globals(0, "trial")
        yield


def repeats(component: Component, method: str, found: Tensor, again: Callable[[], Any]) -> None:
    """Raise BenchError if a second call, with the same inputs, seeds and draws, gives other numbers than the first."""
    with redrawn():
        second = again()
    alike = isinstance(second, Tensor) and second.shape == found.shape
    if not alike or not torch.allclose(second.to(found), found, rtol=SAME, atol=SAME * _size(found), equal_nan=True):
        raise contract.wrong(component, method, "returned other numbers for the same inputs and seeds", "the same ones")


def _size(numbers: Tensor) -> float:
    finite = numbers.detach()[numbers.isfinite()].abs()
    return float(finite.max()) if finite.numel() else 0.0
