"""One turn of one contender, and what metrics may ask of it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import torch

from harness.protocols.speed.clock import Call, TimedCall, clock
from harness.protocols.speed.memory import peak_memory, reserved_memory


class Timed(NamedTuple):
    """What one turn times: the call, how it is sampled, and what is known of it beside its time."""

    call: Call
    turn: TimedCall
    copy: Callable[[], TimedCall]
    device: str
    items: int
    moved: int
    error: float | None


class Taken:
    """The samples of a turn; what goes beyond them is measured after them, when it is first asked for.

    `network` are the seconds that a sampler's network took of a call, None for what has none.
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
        """Seconds from asking for one call to having its result."""
        return self._timed.turn.latency()

    @cached_property
    def copy_seconds(self) -> float:
        """Seconds of a copy that reads and writes as many bytes as a call has input and output."""
        return statistics.median(self._timed.copy().samples())

    @cached_property
    def bytes(self) -> float:
        """Bytes held at the peak of a call beyond what was held before."""
        return peak_memory(self._timed.call, self._timed.device)

    @cached_property
    def reserved(self) -> float | None:
        """Bytes that torch holds of a GPU at the peak."""
        return reserved_memory(self._timed.call, self._timed.device)


def copying(moved: int, device: str) -> TimedCall:
    """A copy that reads and writes `moved` bytes together."""
    source = torch.zeros(max(1, moved // 2), dtype=torch.int8, device=device)
    target = torch.empty_like(source)
    return TimedCall(clock(device), lambda: target.copy_(source))
