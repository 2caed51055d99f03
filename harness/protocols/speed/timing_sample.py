"""One turn of one contender, and the inputs that metrics may request of it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import torch

from harness.protocols.speed.clock import Call, TimedCall, clock
from harness.protocols.speed.memory import peak_memory, reserved_memory


class Timed(NamedTuple):
    """Content of one turn: the call, its sampling, and known facts beside its time."""

    call: Call
    turn: TimedCall
    copy: Callable[[], TimedCall]
    device: str
    items: int
    moved: int
    error: float | None


class Taken:
    """The samples of a turn; further quantities are measured after them, on first use.

    `network` is the time of a call in a sampler's network in seconds, None without a network.
    """

    def __init__(self, timed: Timed, samples: Sequence[float], network: float | None) -> None:
        self._timed, self.denoiser_seconds = timed, network
        self.seconds = statistics.median(samples)
        self.items, self.moved, self.error = timed.items, timed.moved, timed.error

    @property
    def sampler_seconds(self) -> float | None:
        """Seconds of a call outside the network."""
        return None if self.denoiser_seconds is None else self.seconds - self.denoiser_seconds

    @cached_property
    def latency(self) -> float:
        """Seconds from a call to its result."""
        return self._timed.turn.latency()

    @cached_property
    def copy_seconds(self) -> float:
        """Seconds of a copy that reads and writes as many bytes as a call has input and output."""
        return statistics.median(self._timed.copy().samples())

    @cached_property
    def bytes(self) -> float:
        """Bytes held at the peak of a call beyond those held before."""
        return peak_memory(self._timed.call, self._timed.device)

    @cached_property
    def reserved(self) -> float | None:
        """Bytes of a GPU that torch reserves at the peak."""
        return reserved_memory(self._timed.call, self._timed.device)


def copying(moved: int, device: str) -> TimedCall:
    """Return a copy that reads and writes `moved` bytes together."""
    source = torch.zeros(max(1, moved // 2), dtype=torch.int8, device=device)
    target = torch.empty_like(source)
    return TimedCall(clock(device), lambda: target.copy_(source))
