"""One turn of one contender, and what metrics may ask of it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from harness.protocols._clock import Turn, clock
from harness.protocols._cost import peak_bytes, reserved_bytes

if TYPE_CHECKING:
    from harness.protocols.speed import Timing

OFFERS = (
    "seconds",
    "latency",
    "items",
    "moved",
    "copy_seconds",
    "sampler_seconds",
    "denoiser_seconds",
    "bytes",
    "reserved",
    "error",
)


class Taken:
    """The samples of a turn; what goes beyond them is measured after them, when it is first asked for.

    `network` are the seconds that a sampler's network took of a call, None for what has none.
    """

    def __init__(self, session: Timing, samples: Sequence[float], network: float | None) -> None:
        self._session, self.denoiser_seconds = session, network
        self.seconds = statistics.median(samples)
        self.items, self.moved, self.error = session.subject.items, session.moved, session.error

    @property
    def sampler_seconds(self) -> float | None:
        """Seconds of a call outside the network."""
        return None if self.denoiser_seconds is None else self.seconds - self.denoiser_seconds

    @cached_property
    def latency(self) -> float:
        """Seconds from asking for one call to having its result."""
        return self._session.turn.latency()

    @cached_property
    def copy_seconds(self) -> float:
        """Seconds of a copy that reads and writes as many bytes as a call has input and output."""
        return statistics.median(self._session.copy.samples())

    @cached_property
    def bytes(self) -> float:
        """Bytes held at the peak of a call beyond what was held before."""
        return peak_bytes(self._session.call, self._session.device)

    @cached_property
    def reserved(self) -> float | None:
        """Bytes that torch holds of a GPU at the peak."""
        return reserved_bytes(self._session.call, self._session.device)


def copying(moved: int, device: str) -> Turn:
    """A copy that reads and writes `moved` bytes together."""
    source = torch.zeros(max(1, moved // 2), dtype=torch.int8, device=device)
    target = torch.empty_like(source)
    return Turn(clock(device), lambda: target.copy_(source))
