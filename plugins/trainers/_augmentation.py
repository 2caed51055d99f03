"""Augmentation of training batches by a function of the user's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Generator, Tensor

from harness import BenchError, call_with_inputs, import_attribute


class Augmentation:
    """A function of inputs [b, ...] that returns other inputs of the same shape, called by its import path.

    It may ask for `generator`, `step` and `epoch` by name. The generator is that of the seed and the step, the same for
    every contender. Raises BenchError that names the path for anything else.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        function: Any = import_attribute(path)
        if isinstance(function, type) or not callable(function):
            raise BenchError(f"loop.augment: {path} is no function of inputs [batch, ...]")
        self._function: Callable[..., object] = function

    def __call__(self, inputs: Tensor, generator: Generator, step: int, epoch: int) -> Tensor:
        """Other inputs for one step."""
        try:
            found = call_with_inputs(self._function, inputs, generator=generator, step=step, epoch=epoch)
        except Exception as error:  # the user's code may raise anything
            said = (str(error).splitlines() or [""])[0]
            raise BenchError(f"loop.augment: {self._path} failed: {type(error).__name__}: {said}") from error
        if not isinstance(found, Tensor) or found.shape != inputs.shape:
            shown = [*found.shape] if isinstance(found, Tensor) else f"a {type(found).__name__}"
            raise BenchError(f"loop.augment: {self._path} returned {shown}, expected {[*inputs.shape]}")
        return found.detach().to(inputs.dtype)
